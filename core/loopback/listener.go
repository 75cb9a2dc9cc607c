package loopback

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/zen-auth/zen/internal/strangers"
)

const (
	// shutdownTimeout is for answers under way; connections that a browser opened
	// ahead without a request would hold up a shutdown for longer.
	shutdownTimeout = 500 * time.Millisecond
	// maxHeader has room for a JWT in the query.
	maxHeader = 32 << 10
	// maxConnections limits the connections of the browser and of anything else together.
	maxConnections = 32
)

// Options are the optional parts of a Listener.
type Options struct {
	// Path is the path of the callback; empty is /callback.
	Path string
	// Ports are tried in order, for an issuer that compares the whole redirect URI
	// instead of following RFC 8252 section 7.3. None means any free port.
	Ports []int
	// Localhost accepts the callback at http://localhost:PORT, too, whatever address that
	// is to the browser, for a page that is told a port alone and goes there.
	Localhost bool
}

// Listener waits for one callback. Its methods are safe for concurrent use.
type Listener struct {
	addr    string
	alias   string // another host that is accepted, or ""
	path    string
	server  *http.Server
	served  chan struct{}
	closed  chan struct{}
	closing sync.Once
	// callbacks holds the one that was accepted, until Wait takes it.
	callbacks chan *Callback

	mu sync.Mutex // guards state and only
	// state is the value that the callback has to carry.
	state string
	// only is the only callback that is accepted.
	only *Callback
}

// Listen listens on a port of 127.0.0.1. ctx bounds only that. The caller has to call
// Close. Where other programs have all of Options.Ports, the error is a *BusyError.
func Listen(ctx context.Context, opts Options) (*Listener, error) {
	opts.Path = cmp.Or(opts.Path, "/callback")
	if !strings.HasPrefix(opts.Path, "/") || opts.Path == donePath {
		return nil, fmt.Errorf("listen for the browser: path %q does not start with / or is %s", opts.Path, donePath)
	}
	socket, err := listenOn(ctx, opts.Ports)
	if err != nil {
		return nil, fmt.Errorf("listen for the browser: %w", err)
	}
	l := &Listener{
		addr:      socket.Addr().String(),
		path:      opts.Path,
		state:     newState(),
		served:    make(chan struct{}),
		closed:    make(chan struct{}),
		callbacks: make(chan *Callback, 1),
	}
	l.server = &http.Server{
		Handler:           l.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	strangers.Protect(l.server, maxConnections)
	sockets := []net.Listener{socket}
	if opts.Localhost {
		_, port, _ := net.SplitHostPort(l.addr)
		l.alias = net.JoinHostPort("localhost", port)
		// Where that can't be had, localhost is 127.0.0.1, or the browser tries it next.
		if six, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("::1", port)); err == nil {
			sockets = append(sockets, six)
		}
	}
	var serving sync.WaitGroup
	for _, socket := range sockets {
		serving.Go(func() { _ = l.server.Serve(socket) })
	}
	go func() {
		defer close(l.served)
		serving.Wait()
	}()
	return l, nil
}

// listenOn takes the first of the ports that is free.
func listenOn(ctx context.Context, ports []int) (net.Listener, error) {
	if len(ports) == 0 {
		ports = []int{0}
	}
	var causes []error
	for _, port := range ports {
		// Not localhost: it may be ::1 to the browser, and has no meaning in RFC 8252.
		socket, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return socket, nil
		}
		causes = append(causes, err)
	}
	if ports[0] == 0 {
		return nil, causes[0]
	}
	return nil, &BusyError{Ports: slices.Clone(ports), causes: causes}
}

// BusyError says that none of the ports could be had.
type BusyError struct {
	Ports  []int
	causes []error
}

// Error names the ports.
func (e *BusyError) Error() string {
	names := make([]string, len(e.Ports))
	for i, port := range e.Ports {
		names[i] = strconv.Itoa(port)
	}
	return "other programs have all ports of 127.0.0.1 that it may listen on: " + strings.Join(names, ", ")
}

// Unwrap returns what the system said of each port.
func (e *BusyError) Unwrap() []error { return e.causes }

func newState() string {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(random[:])
}

// RedirectURL returns the URL to which the page has to send the browser.
func (l *Listener) RedirectURL() string { return "http://" + l.addr + l.path }

// State returns the value that the callback has to carry as state: 256 random bits, in
// base64url, or what [Listener.Expect] was told.
func (l *Listener) State() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// Expect sets another state than the listener's own, for a server that makes the state
// itself (OpenBao's auth method oidc does) once it was told the redirect URL. It has to
// be as hard to guess, and Expect to be called before the page is opened.
func (l *Listener) Expect(state string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = state
}

// Wait returns the callback, which has to be settled by its Succeed or Fail. Where
// the page sent an error instead, it shows that to the browser and returns a
// *DeniedError. When ctx ends first, the error says so and wraps its cause.
func (l *Listener) Wait(ctx context.Context) (*Callback, error) {
	select {
	case c := <-l.callbacks:
		if err := c.denied(); err != nil {
			c.Fail(err)
			return nil, err
		}
		return c, nil
	case <-l.closed:
		return nil, errors.New("wait for the browser: closed")
	case <-ctx.Done():
		return nil, &unansweredError{l.RedirectURL(), context.Cause(ctx)}
	}
}

// unansweredError is the end of a wait; its cause, the context's, adds nothing for
// a reader. How long that took is decided by the caller's context: a listener waits
// for less than the whole sign-in takes.
type unansweredError struct {
	url   string
	cause error
}

func (e *unansweredError) Error() string {
	return "the browser did not come back to " + e.url + " in time"
}

func (e *unansweredError) Unwrap() error { return e.cause }

var (
	errWrongState = errors.New("its state is not the one of this sign-in")
	errUsed       = errors.New("this sign-in has its answer already")
)

// accept takes the first query with the right state.
func (l *Listener) accept(rawQuery string) (*Callback, error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil || len(query["state"]) != 1 ||
		subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(l.State())) != 1 {
		return nil, errWrongState
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.only != nil {
		return nil, errUsed
	}
	l.only = newCallback(l, query)
	l.callbacks <- l.only
	return l.only, nil
}

// accepted returns the accepted callback, or nil.
func (l *Listener) accepted() *Callback {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.only
}

// Close stops listening, after a moment for answers under way. It may be called
// more than once.
func (l *Listener) Close() error {
	l.closing.Do(func() {
		close(l.closed)
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		if l.server.Shutdown(ctx) != nil {
			_ = l.server.Close()
		}
	})
	<-l.served
	return nil
}
