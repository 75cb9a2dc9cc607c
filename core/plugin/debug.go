package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/names"
	"github.com/zen-auth/zen/internal/wire"
)

// serveDebug serves p on a socket that only this user reaches, until ctx ends, and
// says on out how zen gets there. The memory of the process stays open: a debugger
// reads it.
func serveDebug(ctx context.Context, p provider.Provider, out io.Writer) error {
	description, err := p.Describe(ctx)
	if err != nil {
		return fmt.Errorf("describe: %w", err)
	}
	if !names.IsProvider(description.Name) {
		return &handshake.NameError{Name: description.Name}
	}
	listener, err := listenDebug(description.Name)
	if err != nil {
		return err
	}
	path := listener.Addr().String()
	value, err := json.Marshal(map[string]string{description.Name: path})
	if err != nil {
		_ = listener.Close()
		return err
	}
	fmt.Fprintf(out, "Provider %s waits for zen, and for any other program of yours. In another terminal:\n\n"+
		"    export %s='%s'\n\nor, until zen provider dev stop %s,\n\n    zen provider dev override %s %s\n\nCtrl-C ends it.\n",
		description.Name, handshake.ReattachKey, value, description.Name, description.Name, path)
	server := newServer(nil)
	wire.Register(server, p)
	stop := context.AfterFunc(ctx, server.Stop)
	defer stop()
	if err := server.Serve(listener); err != nil && ctx.Err() == nil {
		return err
	}
	return nil // the socket is gone
}

// listenDebug listens in a directory that is closed to others, at a path that is the
// same every time.
func listenDebug(name string) (net.Listener, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("zen-debug-%d", os.Getuid()))
	if len(dir)+len("/")+len(name) > handshake.MaxSocketDir {
		dir = filepath.Join("/tmp", filepath.Base(dir))
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	path := filepath.Join(dir, name)
	if reason := handshake.Closed(dir); reason != "" {
		return nil, fmt.Errorf("listen on %s: %s", path, reason)
	}
	if other, err := net.Dial("unix", path); err == nil {
		_ = other.Close()
		return nil, fmt.Errorf("listen on %s: another %s listens there", path, name)
	}
	if handshake.IsSocket(path) { // of a process that was killed
		_ = os.Remove(path)
	}
	return net.Listen("unix", path)
}

// debugMain returns the main function of a provider that is started with handshake.DebugKey.
func debugMain(p provider.Provider) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serveDebug(ctx, p, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "wait for zen:", err)
		return 1
	}
	return 0
}
