package gateway

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/strangers"
)

// Config says what a gateway forwards, and for whom.
type Config struct {
	// Address is the database's base, as of libsql.Address. Required.
	Address *url.URL
	// Transport sends the requests and puts the token on them. Required. It may send
	// a request a second time, with the body of GetBody. WebSockets are forwarded where
	// it is a Greeter.
	Transport http.RoundTripper
	// Bearer is the secret that clients have to show; empty means a new random one.
	Bearer provider.Secret
	// Open lets everybody in who can reach the listener: for a Unix socket, which
	// the file system guards.
	Open bool
	// Hosts are the names that a Host header may have, besides those of the
	// loopback; one that is "*" allows all. It keeps a page whose name was rebound
	// to the loopback (DNS rebinding) out, also where it knows the bearer.
	Hosts []string
	// Origins are the origins of pages that may use the gateway, such as
	// http://localhost:5173. A request with another Origin header is refused.
	Origins []string
	// Timeout is the longest silence in the middle of an answer; 0 means a minute. How
	// long the answer may take to begin is Transport's to bound.
	Timeout time.Duration
	// Observe, if set, is called at the end of every request.
	Observe func(Request)
}

// Request is the argument of Observe.
type Request struct {
	// Route is the kind of request, such as pipeline; "" for one that has none.
	Route string
	// Status is the status of the answer.
	Status int
	Took   time.Duration
	// Err is why the gateway itself answered with an error; nil otherwise.
	Err error
}

// Handler is the gateway without a listener. It is safe for concurrent use.
type Handler struct {
	config Config
	proxy  httputil.ReverseProxy

	sockets sync.WaitGroup
	leaving context.Context // done when sockets are to end at the next pause
	leave   context.CancelFunc
	cut     context.Context // done when they are to end at once
	cutOff  context.CancelFunc
}

// New returns a gateway.
func New(config Config) (*Handler, error) {
	if config.Address == nil || config.Transport == nil {
		return nil, errors.New("gateway: Config.Address and Config.Transport are required")
	}
	if config.Bearer.IsZero() && !config.Open {
		random := make([]byte, 32)
		_, _ = rand.Read(random) // never fails
		config.Bearer = provider.NewSecret(base64.RawURLEncoding.EncodeToString(random))
	}
	config.Timeout = cmp.Or(config.Timeout, defaultTimeout)
	h := &Handler{config: config}
	h.leaving, h.leave = context.WithCancel(context.Background())
	h.cut, h.cutOff = context.WithCancel(context.Background())
	h.proxy = httputil.ReverseProxy{
		Rewrite:        h.rewrite,
		Transport:      config.Transport,
		ModifyResponse: h.modify,
		ErrorHandler:   h.fail,
		BufferPool:     buffers{},
		ErrorLog:       quiet,
	}
	return h, nil
}

// Bearer returns the secret that a client has to show; empty if the gateway is open.
func (h *Handler) Bearer() provider.Secret { return h.config.Bearer }

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{ResponseWriter: w, began: time.Now()}
	if isSocket(r) { // which net/http's server doesn't wait for
		h.sockets.Add(1)
		defer h.sockets.Done()
	}
	defer func() {
		if h.config.Observe != nil {
			h.config.Observe(Request{Route: x.route.name, Status: x.status, Took: time.Since(x.began), Err: x.err})
		}
	}()
	r, ok := h.admit(x, r)
	if !ok {
		return
	}
	defer x.end()
	h.proxy.ServeHTTP(x, r)
}

// admit answers a request that is not to be forwarded, and otherwise returns the request with
// its exchange.
func (h *Handler) admit(x *exchange, r *http.Request) (*http.Request, bool) {
	if !h.hostAllowed(r.Host) {
		x.refuse(http.StatusMisdirectedRequest, "HOST_NOT_ALLOWED", "the Host header names "+short(r.Host)+", which this gateway is not")
		return nil, false
	}
	if done := h.cors(x, r); done {
		return nil, false
	}
	// Neither can come with a bearer that this gateway knows, so that what to do instead
	// is said first.
	if isSocket(r) { // whose bearer is in its first message
		h.socket(x, r)
		return nil, false
	}
	if r.Header.Get("Upgrade") != "" {
		x.refuse(http.StatusNotImplemented, "UPGRADE_NOT_SUPPORTED", "this gateway speaks HTTP and WebSockets alone")
		return nil, false
	}
	if isGRPC(r) {
		x.refuseGRPC(r)
		return nil, false
	}
	if isProbe(r) {
		x.answerProbe()
		return nil, false
	}
	if !h.bearerShown(r) {
		x.Header().Set("WWW-Authenticate", "Bearer")
		x.refuse(http.StatusUnauthorized, "AUTH_JWT_INVALID", bearerWanted)
		return nil, false
	}
	strangers.Admit(x.ResponseWriter, r, h.config.Timeout)
	path := clean(r.URL.Path)
	known, methods := lookup(path)
	switch {
	case known.name == "":
		x.refuse(http.StatusNotFound, "NOT_FOUND", "no such path: this gateway forwards Hrana over HTTP, the sync protocol and dumps")
		return nil, false
	case !slices.Contains(methods, r.Method):
		x.Header().Set("Allow", methods[0])
		x.refuse(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "the method of "+short(path)+" is "+methods[0])
		return nil, false
	}
	x.route, x.path, x.host = known, path, r.Host
	body, err := hold(x, r)
	if err != nil {
		x.refuse(http.StatusRequestEntityTooLarge, "REQUEST_TOO_LARGE", err.Error())
		return nil, false
	}
	streamed := time.Duration(0)
	if body != nil && body.rest != nil {
		streamed = streamTimeout
	}
	strangers.Admit(x.ResponseWriter, r, streamed)
	x.ctx, x.cancel = context.WithCancelCause(withExchange(r.Context(), x))
	again := (func() (io.ReadCloser, error))(nil)
	if body != nil {
		x.held, again = body.rest == nil, body.again
	}
	if x.held && path == pullUpdates {
		again = h.poll(x, body.head)
	}
	r = r.WithContext(x.ctx)
	if body != nil {
		r.Body, r.GetBody, r.ContentLength = body.open(), again, body.size
	}
	return r, true
}

// quiet is for net/http's own log: what matters comes to ErrorHandler, and the rest
// are clients that went away.
var quiet = log.New(io.Discard, "", 0)
