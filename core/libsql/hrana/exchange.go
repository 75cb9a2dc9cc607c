package hrana

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"
)

// exchange is an HTTP request whose answer is being read. The answer's body is
// read through it, so that silence and the caller's context end the reading.
type exchange struct {
	s       *scanner
	parent  context.Context // the caller's
	ctx     context.Context
	cancel  context.CancelCauseFunc
	body    io.ReadCloser
	timer   *time.Timer
	timeout time.Duration
	got     int64 // bytes read
}

// drainLimit limits how much of an answer that is no longer wanted is still read, so
// that its HTTP connection can be used again, before cutting it is cheaper.
const drainLimit = 256 << 10

// message is the request of an exchange.
type message struct {
	body       []byte
	onStream   bool // there is a baton in it
	repeatable bool // running it twice does no harm
}

// post sends a message and returns when the answer has begun with status 200.
func (c *Connector) post(ctx context.Context, u *url.URL, m message) (*exchange, error) {
	x := &exchange{parent: ctx, timeout: c.config.Timeout}
	x.ctx, x.cancel = context.WithCancelCause(ctx)
	if x.timeout > 0 {
		x.timer = time.AfterFunc(x.timeout, func() { x.cancel(ErrTimeout) })
	}
	resp, err := c.config.Transport.RoundTrip(m.request(x.ctx, u))
	x.stopTimer()
	if err != nil {
		err = x.failure(err)
		x.cancel(nil)
		return nil, err
	}
	x.body = resp.Body
	if resp.StatusCode != http.StatusOK {
		err := x.httpError(resp, m.onStream)
		x.body.Close()
		x.cancel(nil)
		return nil, err
	}
	x.s = newScanner(x, c.config.MaxMemory)
	return x, nil
}

// request builds what http.NewRequest would, but for parsing the URL again.
// GetBody lets the transport repeat a request that never reached the server. The
// empty header, which is not sent, lets net/http also repeat one of which it
// isn't known, because a kept-alive connection broke under it.
func (m *message) request(ctx context.Context, u *url.URL) *http.Request {
	getBody := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(m.body)), nil }
	reader, _ := getBody()
	header := http.Header{"Content-Type": {"application/json"}}
	if m.repeatable {
		header["X-Idempotency-Key"] = nil
	}
	req := &http.Request{
		Method: http.MethodPost, URL: u, Host: u.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, ContentLength: int64(len(m.body)), Body: reader, GetBody: getBody,
	}
	return req.WithContext(ctx)
}

// Read reads the answer's body.
func (x *exchange) Read(p []byte) (int, error) {
	if x.timer != nil {
		x.timer.Reset(x.timeout)
	}
	n, err := x.body.Read(p)
	x.stopTimer()
	x.got += int64(n)
	if err != nil && err != io.EOF {
		err = x.failure(err)
	}
	return n, err
}

func (x *exchange) stopTimer() {
	if x.timer != nil {
		x.timer.Stop()
	}
}

// failure says why the exchange broke: the caller's context, silence, or what
// the transport says.
func (x *exchange) failure(err error) error {
	switch {
	case x.parent.Err() != nil:
		return &exchangeError{err: err, cause: x.parent.Err()}
	case context.Cause(x.ctx) == ErrTimeout:
		return ErrTimeout
	}
	return &exchangeError{err: err}
}

// close ends the exchange. When some of the answer is unread, cut says to drop
// the HTTP connection, too.
func (x *exchange) close(cut bool) {
	if cut {
		x.cancel(context.Canceled)
	}
	x.body.Close()
	x.cancel(nil)
	x.stopTimer()
	x.s.free()
	x.s = nil
}

// pipeline posts to the pipeline of the version that the server speaks. The
// first request of a connector finds that out: version 3 first, and version 2
// if there is no such path, which costs nothing at a server that has it.
func (c *Connector) pipeline(ctx context.Context, e *endpoints, m message) (*exchange, error) {
	version := c.version.Load()
	if version == 2 {
		return c.post(ctx, e.pipeline2, m)
	}
	x, err := c.post(ctx, e.pipeline3, m)
	if version == 3 || m.onStream {
		return x, err
	}
	if err == nil {
		c.version.CompareAndSwap(0, 3)
		return x, nil
	}
	var httpErr *HTTPError
	if !errors.As(err, &httpErr) || httpErr.Status != http.StatusNotFound {
		return nil, err
	}
	x, err2 := c.post(ctx, e.pipeline2, m)
	if err2 != nil {
		return nil, err // nothing there either: the first answer says why
	}
	c.version.CompareAndSwap(0, 2)
	return x, nil
}
