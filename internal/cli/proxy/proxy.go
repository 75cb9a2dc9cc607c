// Package proxy has the loopback proxy for programs in any language.
package proxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/gateway"
	"github.com/zen-auth/zen/internal/link"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/tokenform"
)

// proxyDrain limits how long requests under way may go on when the proxy ends.
const proxyDrain = 10 * time.Second

// Command is zen proxy.
func Command() *cli.Command {
	return &cli.Command{
		Name:      "proxy",
		Usage:     "serve the database at a local address that always uses a valid token",
		ArgsUsage: "[-- COMMAND [ARGUMENT...]]",
		Description: `The proxy is an HTTP address on this machine that programs use in place of the
database's. It forwards Hrana over HTTP and WebSockets, the sync protocol of replicas
and dumps, and adds a valid token to each request. To the proxy, the programs show a
token of the proxy's own, which changes at every start and is useless elsewhere.

   zen proxy                        print TURSO_DATABASE_URL and TURSO_AUTH_TOKEN, and serve
   zen proxy -- npm start           run a command with these variables, and end with it
   zen proxy --env-file .env.local  write the variables to a file that only its owner can read
   zen proxy --listen unix:/run/user/1000/app.sock
                                    serve a Unix socket, which needs no token
   zen proxy --listen 127.0.0.1:8080 --allow-origin http://localhost:5173
                                    also for a page in a browser
   zen proxy --admin 127.0.0.1:9090 also serve /startup, /readiness, /liveness and /metrics

zen proxy starts only if it can get a token; otherwise it says what is missing. After an
interrupt (exit code 130) or TERM (143), running requests have ten seconds to finish.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "listen", Usage: "serve at `ADDR`: HOST:PORT or unix:PATH", Value: "127.0.0.1:0"},
			&cli.BoolFlag{Name: "listen-anywhere", Usage: "allow a --listen address that other machines can reach, over plain HTTP"},
			&cli.StringSliceFlag{Name: "allow-origin", Usage: "allow requests from pages of `ORIGIN`, such as http://localhost:5173; may be repeated"},
			&cli.StringFlag{Name: "admin", Usage: "serve health and metrics at `ADDR`"},
			&cli.StringFlag{Name: "env-file", Usage: "write the variables to `FILE` instead of standard output", TakesFile: true},
			&cli.BoolFlag{Name: "keep", Usage: "keep the file of --env-file, and reuse its port and token the next time"},
			&cli.StringFlag{Name: "access", Usage: "use a token with `ACCESS`: ro or rw"},
			&cli.StringFlag{Name: "database", Usage: "use the database at `URL`"},
		},
		Action: func(c *cli.Context) error {
			return Options{
				Listen: c.String("listen"), ListenAnywhere: c.Bool("listen-anywhere"), AllowOrigins: c.StringSlice("allow-origin"),
				Admin: c.String("admin"), EnvFile: c.String("env-file"), Keep: c.Bool("keep"), Command: c.Args().Slice(),
			}.Run(c.Context, app.EnvOf(c))
		},
	}
}

// Options are the flags of zen proxy.
type Options struct {
	// Listen is HOST:PORT or unix:PATH. Unless ListenAnywhere, it and Admin are of this
	// machine alone.
	Listen         string
	ListenAnywhere bool
	// AllowOrigins are the origins of pages that may use the proxy.
	AllowOrigins []string
	// Admin is the address that serves health and metrics. If empty, neither is served.
	Admin string
	// EnvFile takes the variables; "" means standard output.
	EnvFile string
	// Keep leaves EnvFile, and goes on with the port and the bearer in it.
	Keep bool
	// Command is run with the variables, and the proxy ends with it; if empty, it runs
	// until it is interrupted.
	Command []string
}

// Run serves until its command ends, or until it is told to end.
func (o Options) Run(ctx context.Context, e *app.Env) error {
	p := proxy{Options: o, env: e}
	if err := p.read(); err != nil {
		return err
	}
	return e.WithSession(ctx, func(s *session.Session) error {
		if err := s.NeedsDatabase(); err != nil {
			return err
		}
		p.session = s
		return p.run(ctx)
	})
}

// proxy is one run of zen proxy.
type proxy struct {
	Options
	env           *app.Env
	network, addr string   // to listen on
	hosts         []string // further names that the Host header may have

	session *session.Session
	ready   readiness
	metrics gateway.Metrics
}

// read checks the command line.
func (p *proxy) read() error {
	p.network, p.addr = "tcp", p.Listen
	if path, ok := strings.CutPrefix(p.addr, "unix:"); ok {
		p.network, p.addr = "unix", path
	}
	switch {
	case p.network == "unix" && p.addr == "":
		return p.env.Usage("--listen unix: has no path")
	case p.network == "unix" && len(p.Command) > 0:
		return p.env.Usage("a command can't be given a Unix socket: no variable is known for one")
	case len(p.Command) > 0 && p.EnvFile != "":
		return p.env.Usage("the command has the variables, --env-file is for a proxy without one")
	case p.Keep && p.EnvFile == "":
		return p.env.Usage("--keep is for --env-file: that file has the port and the bearer")
	case p.Keep && p.network == "unix":
		return p.env.Usage("a Unix socket has neither port nor bearer to keep: leave --keep out")
	case len(p.Command) > 0 && p.env.JSON:
		return p.env.Usage("with a command, standard output is the command's: leave --json out")
	}
	if err := p.checkAddresses(); err != nil {
		return err
	}
	if len(p.Command) > 0 {
		if _, err := app.FindCommand(p.Command[0]); err != nil {
			return err
		}
	}
	for _, origin := range p.AllowOrigins {
		if !isOrigin(origin) {
			return p.env.Usage("--allow-origin %q is not an origin, such as http://localhost:5173", origin)
		}
	}
	return nil
}

// checkAddresses refuses what other machines reach, unless that is said to be meant.
func (p *proxy) checkAddresses() error {
	for name, addr := range map[string]string{"listen": p.Listen, "admin": p.Admin} {
		if addr == "" || strings.HasPrefix(addr, "unix:") && name == "listen" {
			continue
		}
		host, _, err := net.SplitHostPort(addr)
		switch {
		case err != nil:
			return p.env.Usage("--%s %q is not HOST:PORT", name, addr)
		case provider.IsLoopback(host):
		case !p.ListenAnywhere:
			return &provider.Error{
				Kind:    app.ErrUsage,
				Message: fmt.Sprintf("--%s %s is not an address of this machine alone", name, addr),
				Hint:    "use 127.0.0.1:PORT; --listen-anywhere allows it, and the bearer then travels unencrypted",
			}
		case name == "listen":
			p.hosts = []string{"*"}
		}
	}
	return nil
}

func isOrigin(s string) bool {
	host, ok := strings.CutPrefix(s, "http://")
	if !ok {
		host, ok = strings.CutPrefix(s, "https://")
	}
	return ok && host != "" && !strings.ContainsAny(host, "/?#*@ ")
}

func (p *proxy) run(ctx context.Context) (err error) {
	// A proxy that can't reach a token is told now, and not by its first client.
	p.ready.token = p.session.Token
	if err := p.env.Slowly("waiting for a token", func() error { return p.ready.check(ctx) }); err != nil {
		return err
	}
	server, remote, err := p.listen(ctx)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), proxyDrain)
		defer cancel()
		err = cmp.Or(err, errors.Join(server.Close(ctx), remote.Close()))
	}()
	admin, err := p.listenAdmin(ctx)
	if err != nil {
		return err
	}
	if admin != nil {
		defer admin.close()
	}
	if p.hosts != nil {
		fmt.Fprintf(p.env.Err, "%s anyone who reaches %s and has the bearer uses the database as you, and both travel unencrypted\n", app.Paint(p.env.Err, app.Yellow, "zen: warning:"), server.URL())
	}
	if len(p.Command) > 0 {
		return p.runCommand(ctx, server)
	}
	return p.serve(ctx, server, admin)
}

// listen starts the gateway.
func (p *proxy) listen(ctx context.Context) (*gateway.Server, *link.Link, error) {
	target := p.session.Target()
	address, err := libsql.Address(target.URL)
	if err != nil {
		return nil, nil, err
	}
	remote, err := link.Dial(link.Config{Target: target, Address: address, Access: p.session.Access(), Source: p.session})
	if err != nil {
		return nil, nil, err
	}
	bearer, err := p.kept()
	if err != nil {
		return nil, nil, errors.Join(err, remote.Close())
	}
	handler, err := gateway.New(gateway.Config{
		Address: remote.Address, Transport: remote.Transport, Open: p.network == "unix", Bearer: bearer,
		Hosts: p.hosts, Origins: p.AllowOrigins, Observe: p.metrics.Observe,
	})
	if err == nil {
		var listener net.Listener
		if listener, err = listenPrivately(ctx, p.network, p.addr); err == nil {
			return gateway.Serve(listener, handler), remote, nil
		}
	}
	return nil, nil, errors.Join(cannotListen("listen", p.Listen, err), remote.Close())
}

// kept returns the bearer of the proxy before, whose port is listened at unless --listen names
// one.
func (p *proxy) kept() (provider.Secret, error) {
	if !p.Keep {
		return provider.Secret{}, nil
	}
	port, bearer, err := keptVariables(p.EnvFile)
	if host, free := strings.CutSuffix(p.addr, ":0"); err == nil && free && port != "" {
		p.addr = host + ":" + port
		p.Listen = p.addr
	}
	return bearer, err
}

// cannotListen says which flag was meant.
func cannotListen(flag, addr string, err error) error {
	cannot := &provider.Error{Kind: provider.ErrConfig, Err: err, Message: fmt.Sprintf("--%s %s: %v", flag, addr, err)}
	if !strings.HasPrefix(addr, "unix:") {
		cannot.Hint = "is another program there? Port 0 is a free one"
	}
	return cannot
}

// variables returns the variables by which clients of libSQL find the proxy.
func variables(server *gateway.Server) []string {
	url, bearer := server.URL(), server.Bearer().Reveal()
	return []string{
		"TURSO_DATABASE_URL=" + url, "TURSO_AUTH_TOKEN=" + bearer,
		"LIBSQL_URL=" + url, "LIBSQL_AUTH_TOKEN=" + bearer,
	}
}

// runCommand runs the command, with nothing in its environment that leads past the
// proxy.
func (p *proxy) runCommand(ctx context.Context, server *gateway.Server) error {
	environ := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return tokenform.IsCredentialVariable(name)
	})
	fmt.Fprintf(p.env.Notes(), "zen: proxy for %s at %s\n", p.session.Target().URL, server.URL())
	limits := tokenform.Answer{
		Profile: p.session.Profile(), Database: p.session.Target().URL, Access: p.session.Access(), Chosen: p.env.Config.Flags.Database != "",
	}.Limits()
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		environ = append(environ, name+"="+limits[name])
	}
	return app.RunChild(ctx, p.Command, append(environ, variables(server)...), p.env.In, p.env.Out, p.env.Err)
}

// serve prints the address of the proxy, and waits until it is to end.
func (p *proxy) serve(ctx context.Context, server *gateway.Server, admin *adminServer) error {
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, app.EndSignals()...)
	defer signal.Stop(terminated)
	forget, err := p.tell(server, admin)
	if err != nil {
		return err
	}
	defer forget()
	select {
	case <-server.Done():
		return fmt.Errorf("proxy: it no longer listens: %w", cmp.Or(server.Close(ctx), errors.New("its listener was closed")))
	case <-ctx.Done():
	case s := <-terminated:
		return endedBy(s)
	}
	select {
	case s := <-terminated: // the context ends by the same signal
		return endedBy(s)
	case <-time.After(2 * time.Second):
		return ctx.Err()
	}
}

// endedBy returns the exit code of a signal as a shell has it.
func endedBy(s os.Signal) error {
	number, _ := s.(syscall.Signal)
	return app.ChildExit{Code: 128 + int(number)}
}
