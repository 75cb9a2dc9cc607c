// Package proxy has the loopback proxy for programs in any language.
package proxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/tokenform"
)

// proxyDrain is how long requests under way may go on when the proxy ends.
const proxyDrain = 10 * time.Second

func Command() *cli.Command {
	return &cli.Command{
		Name:      "proxy",
		Usage:     "give programs in any language a database whose token is always good",
		ArgsUsage: "[-- COMMAND [ARGUMENT...]]",
		Description: `The proxy is an HTTP address on this machine that programs use in place of the
database's. It forwards Hrana over HTTP, the sync protocol of replicas and dumps,
and puts a good token on each request; the programs show a bearer of the proxy's
own, which is made anew at every start and is of no use elsewhere.

   zen proxy                        print TURSO_DATABASE_URL and TURSO_AUTH_TOKEN, and serve
   zen proxy -- npm start           run a command with these variables, and end with it
   zen proxy --env-file .env.local  write the variables to a file, for its owner alone
   zen proxy --listen unix:/run/user/1000/app.sock
                                    a Unix socket, which needs no bearer
   zen proxy --listen 127.0.0.1:8080 --allow-origin http://localhost:5173
                                    for a page in a browser, too
   zen proxy --admin 127.0.0.1:9090 /startup, /readiness, /liveness and /metrics

It starts when a token is there, and says otherwise what is missing. An interrupt
(exit code 130) or TERM (143) lets requests under way end, for ten seconds at most.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "listen", Usage: "serve at `ADDR`: HOST:PORT or unix:PATH", Value: "127.0.0.1:0"},
			&cli.BoolFlag{Name: "listen-anywhere", Usage: "allow --listen an address that other machines reach, over plain HTTP"},
			&cli.StringSliceFlag{Name: "allow-origin", Usage: "let pages of `ORIGIN` in, such as http://localhost:5173; may be given again"},
			&cli.StringFlag{Name: "admin", Usage: "serve health and metrics at `ADDR`"},
			&cli.StringFlag{Name: "env-file", Usage: "write the variables to `FILE` and not to standard output", TakesFile: true},
			&cli.StringFlag{Name: "access", Usage: "use a token with `ACCESS`: ro or rw"},
			&cli.StringFlag{Name: "database", Usage: "use the database at `URL`"},
		},
		Action: proxyAction,
	}
}

func proxyAction(c *cli.Context) error {
	p := proxy{c: c}
	if err := p.read(); err != nil {
		return err
	}
	return app.EnvOf(c).WithSession(c.Context, func(s *session.Session) error {
		if err := s.NeedsDatabase(); err != nil {
			return err
		}
		p.session = s
		return p.run()
	})
}

// proxy is one run of zen proxy.
type proxy struct {
	c              *cli.Context
	network, addr  string // to listen on
	origins, hosts []string
	command        []string

	session *session.Session
	ready   readiness
	metrics gateway.Metrics
}

// read checks the command line.
func (p *proxy) read() error {
	p.command = p.c.Args().Slice()
	p.network, p.addr = "tcp", p.c.String("listen")
	if path, ok := strings.CutPrefix(p.addr, "unix:"); ok {
		p.network, p.addr = "unix", path
	}
	switch {
	case p.network == "unix" && p.addr == "":
		return app.Usage(p.c, "--listen unix: has no path")
	case p.network == "unix" && len(p.command) > 0:
		return app.Usage(p.c, "a command can't be given a Unix socket: no variable is known for one")
	case len(p.command) > 0 && p.c.IsSet("env-file"):
		return app.Usage(p.c, "the command has the variables, --env-file is for a proxy without one")
	case len(p.command) > 0 && app.GlobalBool(p.c, "json"):
		return app.Usage(p.c, "with a command, standard output is the command's: leave --json out")
	}
	if err := p.checkAddresses(); err != nil {
		return err
	}
	if len(p.command) > 0 {
		if _, err := app.FindCommand(p.command[0]); err != nil {
			return err
		}
	}
	for _, origin := range p.c.StringSlice("allow-origin") {
		if !isOrigin(origin) {
			return app.Usage(p.c, "--allow-origin %q is not an origin, such as http://localhost:5173", origin)
		}
		p.origins = append(p.origins, origin)
	}
	return nil
}

// checkAddresses refuses what other machines reach, unless that is said to be meant.
func (p *proxy) checkAddresses() error {
	for _, name := range []string{"listen", "admin"} {
		addr := p.c.String(name)
		if addr == "" || strings.HasPrefix(addr, "unix:") && name == "listen" {
			continue
		}
		host, _, err := net.SplitHostPort(addr)
		switch {
		case err != nil:
			return app.Usage(p.c, "--%s %q is not HOST:PORT", name, addr)
		case libsql.IsLoopback(host):
		case !p.c.Bool("listen-anywhere"):
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

func (p *proxy) run() (err error) {
	// A proxy that can't reach a token is told now, and not by its first client.
	p.ready.token = p.session.Token
	if err := app.Slowly(p.c, "waiting for a token", func() error { return p.ready.check(p.c.Context) }); err != nil {
		return err
	}
	server, link, err := p.listen()
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(p.c.Context), proxyDrain)
		defer cancel()
		err = cmp.Or(err, errors.Join(server.Close(ctx), link.Close()))
	}()
	admin, err := p.listenAdmin()
	if err != nil {
		return err
	}
	if admin != nil {
		defer admin.close()
	}
	if p.hosts != nil {
		fmt.Fprintf(p.c.App.ErrWriter, "%s whoever reaches %s and has the bearer uses the database as you, and both travel unencrypted\n", app.Paint(p.c.App.ErrWriter, app.Yellow, "zen: warning:"), server.URL())
	}
	if len(p.command) > 0 {
		return p.runCommand(server)
	}
	return p.serve(server, admin)
}

// listen starts the gateway.
func (p *proxy) listen() (*gateway.Server, *libsql.Link, error) {
	link, err := libsql.Dial(libsql.Options{Target: p.session.Target(), Access: p.session.Access(), Source: p.session})
	if err != nil {
		return nil, nil, err
	}
	handler, err := gateway.New(gateway.Config{
		Address: link.Address, Transport: link.Transport, Open: p.network == "unix",
		Hosts: p.hosts, Origins: p.origins, Observe: p.metrics.Observe,
	})
	if err == nil {
		var listener net.Listener
		if listener, err = listenPrivately(p.c.Context, p.network, p.addr); err == nil {
			return gateway.Serve(listener, handler), link, nil
		}
	}
	return nil, nil, errors.Join(cannotListen("listen", p.c.String("listen"), err), link.Close())
}

// cannotListen says which flag was meant.
func cannotListen(flag, addr string, err error) error {
	cannot := &provider.Error{Kind: provider.ErrConfig, Err: err, Message: fmt.Sprintf("--%s %s: %v", flag, addr, err)}
	if !strings.HasPrefix(addr, "unix:") {
		cannot.Hint = "is another program there? Port 0 is a free one"
	}
	return cannot
}

// variables are how clients of libSQL find the proxy.
func variables(server *gateway.Server) []string {
	url, bearer := server.URL(), server.Bearer().Reveal()
	return []string{
		"TURSO_DATABASE_URL=" + url, "TURSO_AUTH_TOKEN=" + bearer,
		"LIBSQL_URL=" + url, "LIBSQL_AUTH_TOKEN=" + bearer,
	}
}

// runCommand runs the command, with nothing in its environment that leads past the
// proxy.
func (p *proxy) runCommand(server *gateway.Server) error {
	environ := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return tokenform.IsCredentialVariable(name)
	})
	fmt.Fprintf(app.Notes(p.c), "zen: proxy for %s at %s\n", p.session.Target().URL, server.URL())
	return app.RunChild(p.c.Context, p.command, append(environ, variables(server)...), p.c.App.Reader, p.c.App.Writer, p.c.App.ErrWriter)
}

// serve tells where the proxy is, and waits until it is to end.
func (p *proxy) serve(server *gateway.Server, admin *adminServer) error {
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
		return fmt.Errorf("proxy: it no longer listens: %w", cmp.Or(server.Close(p.c.Context), errors.New("its listener was closed")))
	case <-p.c.Context.Done():
	case s := <-terminated:
		return endedBy(s)
	}
	select {
	case s := <-terminated: // the context ends by the same signal
		return endedBy(s)
	case <-time.After(50 * time.Millisecond):
		return p.c.Context.Err()
	}
}

// endedBy is the exit code of a signal as a shell has it.
func endedBy(s os.Signal) error {
	number, _ := s.(syscall.Signal)
	return app.ChildExit{Code: 128 + int(number)}
}
