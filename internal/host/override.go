package host

import (
	"errors"
	"io/fs"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/names"
)

// override returns the path that runs in place of the provider, or "".
func (m *Manager) override(name string) (path string, err error) {
	if m.options.Override == nil || !names.IsProvider(name) {
		return "", nil
	}
	return m.options.Override(name)
}

// resolveOverride is resolveFile for a program that comes and goes with each build.
func resolveOverride(name, path string) (string, error) {
	resolved, err := resolveFile(name, path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", &provider.Error{
			Kind: provider.ErrNoProvider, Message: "provider " + name + " is overridden by " + path + ", which is not there",
			Hint: "build it, or end the override: zen provider dev stop " + name,
		}
	}
	return resolved, err
}

// attach connects to a process that its author started, and that outlives this host.
// There is no TLS, since there was no start in which to exchange certificates: the
// socket has to be out of the reach of others. Nor are there deadlines, since the
// process may stand at a breakpoint.
func (m *Manager) attach(name, socket string) (*Client, error) {
	if reason := reachable(socket); reason != "" {
		return nil, &provider.Error{
			Kind: provider.ErrNoProvider, Message: "attach to provider " + name + ": " + socket + ": " + reason,
			Hint: "start it with " + handshake.DebugKey + "=1, and see what it prints",
		}
	}
	inner, err := grpc.NewClient("unix:"+socket,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(handshake.MaxMessage), grpc.MaxCallSendMsgSize(handshake.MaxMessage)),
	)
	if err != nil {
		return nil, &StartError{Name: name, Err: err}
	}
	attached := &conn{ClientConnInterface: inner, name: name, redact: m.redact}
	client, err := connected(m.base, attached)
	if err == nil {
		err = client.is(name)
	}
	if err != nil {
		_ = inner.Close()
		return nil, err
	}
	m.running.Go(func() {
		// gRPC would connect again, to a process that isn't configured.
		inner.WaitForStateChange(m.base, connectivity.Ready)
		attached.lost.Store(true)
		<-m.base.Done()
		_ = inner.Close()
	})
	return client, nil
}
