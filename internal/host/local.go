package host

import (
	"context"
	"log/slog"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/wire"
)

// Local serves p within this process and returns a client of it that is not
// configured: the same messages, limits and errors as with a process, but no
// isolation. What panics is logged to log. It is for tests; see package plugintest. stop
// ends it.
func Local(ctx context.Context, p provider.Provider, log *slog.Logger) (client *Client, stop func(), err error) {
	listener := bufconn.Listen(64 << 10)
	server := wire.NewServer(log)
	wire.Register(server, p)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends with server.Stop
	}()
	inner, err := grpc.NewClient("passthrough:///local",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(handshake.MaxMessage), grpc.MaxCallSendMsgSize(handshake.MaxMessage)),
	)
	if err != nil {
		server.Stop()
		<-done
		return nil, nil, err
	}
	stop = func() {
		_ = inner.Close()
		server.Stop()
		<-done
	}
	client, err = connected(ctx, &conn{
		ClientConnInterface: inner, name: "under test", limits: defaultLimits, redact: &redactor{},
	})
	if err != nil {
		stop()
		return nil, nil, err
	}
	client.conn.name = client.description.Name
	return client, stop, nil
}
