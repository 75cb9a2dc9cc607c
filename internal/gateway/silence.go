package gateway

import (
	"context"
	"io"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// defaultTimeout is the remote driver's, too.
const defaultTimeout = time.Minute

// errSilent ends an answer in whose middle nothing came any more.
var errSilent = &provider.Error{
	Kind: provider.ErrUnavailable, Message: "the database fell silent in the middle of its answer", Hint: "check the network",
}

// watched is an answer's body that silence ends, and whose failure is noted: what of it
// has been passed on can't be taken back, and the client only sees it cut off. The
// client's own slowness doesn't count.
type watched struct {
	io.ReadCloser
	x     *exchange
	timer *time.Timer
	wait  time.Duration
}

func (h *Handler) watch(x *exchange, body io.ReadCloser) io.ReadCloser {
	wait := h.config.Timeout + x.poll // it may be its header alone that has come at once
	timer := time.AfterFunc(wait, func() { x.cancel(errSilent) })
	timer.Stop()
	return &watched{body, x, timer, wait}
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	w.timer.Reset(w.wait)
	n, err := w.ReadCloser.Read(p)
	w.timer.Stop()
	if err == nil || err == io.EOF {
		return n, err
	}
	if context.Cause(w.x.ctx) == errSilent {
		err = errSilent
	}
	if w.x.ctx.Err() == nil || err == errSilent { // and the client is still there
		w.x.err = err
	}
	return n, err
}
