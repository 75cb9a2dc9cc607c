package loopback

import (
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zen-auth/zen/internal/text"
)

// deliveryTimeout limits how long a browser may take from the result to its page.
const deliveryTimeout = 3 * time.Second

// Callback is the answer of the page. It holds secrets, and formats without them.
type Callback struct {
	listener *Listener
	query    url.Values

	settling sync.Once
	// settled is closed with the result, which is in page and ok from then on.
	settled chan struct{}
	page    []byte
	ok      bool
	shown   atomic.Bool

	// over is closed when no browser will ask for the page any more: it has it, it
	// left, or there was none.
	over    chan struct{}
	overing sync.Once
}

func newCallback(l *Listener, query url.Values) *Callback {
	return &Callback{listener: l, query: query, settled: make(chan struct{}), over: make(chan struct{})}
}

// Get returns a value of the query, or "".
func (c *Callback) Get(name string) string { return c.query.Get(name) }

// Format implements fmt.Formatter, for every verb.
func (c *Callback) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[callback]")) }

// Succeed shows the page of a success, with a sentence of the caller's, and closes
// the listener once the browser has it (or does not fetch it within 3 seconds).
func (c *Callback) Succeed(text string) { c.settle(true, "Signed in", text) }

// Fail is Succeed for a failure. The text of err is shown: it must hold no secret.
func (c *Callback) Fail(err error) { c.settle(false, "Sign-in failed", text.Line(err.Error(), 300)) }

func (c *Callback) settle(ok bool, title, text string) {
	c.settling.Do(func() {
		c.ok, c.page = ok, render(ok, title, text)
		close(c.settled)
	})
	timer := time.NewTimer(deliveryTimeout)
	defer timer.Stop()
	select {
	case <-c.over:
	case <-timer.C:
	}
	_ = c.listener.Close()
}

// isSettled is false for nil.
func (c *Callback) isSettled() bool {
	if c == nil {
		return false
	}
	select {
	case <-c.settled:
		return true
	default:
		return false
	}
}

func (c *Callback) end() { c.overing.Do(func() { close(c.over) }) }

// denied returns the error that the page sent (RFC 6749 section 4.1.2.1), or nil.
func (c *Callback) denied() error {
	code := c.Get("error")
	if code == "" {
		return nil
	}
	return &DeniedError{Code: text.Line(code, 60), Description: text.Line(c.Get("error_description"), 200)}
}

// DeniedError says that the page refused. Both texts come from the page: they are
// bounded and free of control characters, and nothing more is known of them.
type DeniedError struct {
	// Code is the page's error, such as access_denied.
	Code        string
	Description string
}

// Error returns what the page said.
func (e *DeniedError) Error() string {
	if e.Description == "" {
		return "the sign-in page answered " + e.Code
	}
	return "the sign-in page answered " + e.Code + ": " + e.Description
}
