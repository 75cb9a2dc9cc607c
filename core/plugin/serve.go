package plugin

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/harden"
	_ "github.com/zen-auth/zen/internal/http2quiet" // GODEBUG makes net/http log no bearer
	"github.com/zen-auth/zen/internal/wire"
)

// Serve serves p to the zen that started this process, and returns when zen asks
// for the end. It is all that the main function of a provider calls:
//
//	func main() { plugin.Serve(&example{}) }
//
// Of the interfaces of package provider those are served that p implements. A panic in a
// call fails that call alone. The process can't dump core, on Linux only root reads its
// memory, and it ends when zen does, in whatever way.
//
// A process that is started by hand with ZEN_PROVIDER_DEBUG=1, as in a debugger,
// prints how a zen gets to it, and waits until it is interrupted. Nothing of the
// above protects it.
//
// What is printed is no answer: it goes to zen's log, as does what Logger logs.
func Serve(p provider.Provider) {
	if os.Getenv(handshake.CookieKey) != handshake.CookieValue || os.Getenv("PLUGIN_CLIENT_CERT") == "" {
		if os.Getenv(handshake.DebugKey) != "" {
			os.Exit(debugMain(p))
		}
		name, _ := handshake.ProviderName(filepath.Base(os.Args[0]))
		name = cmp.Or(name, "NAME")
		fmt.Fprintf(os.Stderr, "This is a provider of zen, which starts it when it is needed.\n"+
			"To sign in with it, run: zen login --provider %s\n", name)
		os.Exit(2)
	}
	if err := harden.Provider(); err != nil {
		Logger().Warn("harden the process", "error", err)
	}
	watchParent()
	identity, err := handshake.ServerIdentity(os.Getenv("PLUGIN_CLIENT_CERT"), time.Now())
	if err == nil {
		err = serveProcess(p, identity)
	}
	if err != nil {
		fmt.Fprintln(standardError, "serve zen:", err)
		os.Exit(2)
	}
}

// newServer returns a server that logs to zen.
func newServer(options []grpc.ServerOption) *grpc.Server { return wire.NewServer(Logger(), options...) }

// served registers a provider with go-plugin.
type served struct {
	goplugin.NetRPCUnsupportedPlugin
	provider provider.Provider
}

// GRPCServer implements goplugin.GRPCPlugin.
func (s served) GRPCServer(_ *goplugin.GRPCBroker, server *grpc.Server) error {
	wire.Register(server, s.provider)
	return nil
}

// GRPCClient implements goplugin.GRPCPlugin. Only the host has clients.
func (served) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, fmt.Errorf("client of a served provider: %w", os.ErrInvalid)
}

// Interface guards
var _ goplugin.GRPCPlugin = served{}
