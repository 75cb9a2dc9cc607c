package app

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"io"
	"log"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/zen-auth/zen/internal/peer"
	"github.com/zen-auth/zen/internal/strangers"
)

// openerTimeout limits how long a browser may take to ask for the page that it was started
// for. It may have to start first.
const openerTimeout = 2 * time.Minute

// opener hands a browser the address of a page, once. The address has the sign-in's
// state in it, and every user of the machine can read the arguments of a browser: whoever
// has the state can answer in the person's place. So the browser is started with an address
// of this machine that leads to the page.
type opener struct {
	server   *http.Server
	listener net.Listener
	served   chan struct{}
	path     string
	target   string
	used     atomic.Bool
	asked    chan struct{} // closed once the page was handed out
}

// newOpener listens until the page was asked for, or close is called.
func newOpener(ctx context.Context, target string) (*opener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	random := make([]byte, 16)
	_, _ = rand.Read(random) // never fails
	o := &opener{listener: listener, served: make(chan struct{}), asked: make(chan struct{}), path: "/open/" + base64.RawURLEncoding.EncodeToString(random), target: target}
	o.server = &http.Server{Handler: o, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, IdleTimeout: time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	strangers.Protect(o.server, 32)
	go func() {
		defer close(o.served)
		_ = o.server.Serve(listener)
	}()
	return o, nil
}

// url returns the URL that the browser is started with.
func (o *opener) url() string { return "http://" + o.listener.Addr().String() + o.path }

func (o *opener) close() {
	_ = o.server.Close()
	<-o.served
}

// ServeHTTP sends the first program that knows the path on, if it is this user's.
func (o *opener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Connection", "close")
	switch foreign, _ := peer.Foreign(r); {
	case r.Host != o.listener.Addr().String(), r.Method != http.MethodGet, subtle.ConstantTimeCompare([]byte(r.URL.Path), []byte(o.path)) != 1:
		http.Error(w, "nothing is here", http.StatusNotFound)
	case foreign:
		http.Error(w, "This browser is another user's than the terminal that started it. Open the page by hand: the terminal shows its address.", http.StatusForbidden)
	case o.used.Swap(true):
		http.Error(w, "This page was opened already. The terminal shows its address.", http.StatusGone)
	default:
		http.Redirect(w, r, o.target, http.StatusFound)
		_ = http.NewResponseController(w).Flush() // before the opener ends
		close(o.asked)
	}
}
