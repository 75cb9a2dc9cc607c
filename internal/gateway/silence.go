package gateway

import (
	"errors"
	"io"
	"time"

	"github.com/zen-auth/zen/internal/transport"
)

// defaultTimeout is the remote driver's, too.
const defaultTimeout = time.Minute

// watched is an answer's body that is ended by silence, and whose failure is noted: what of it
// has been passed on can't be taken back, and the client only sees it cut off.
type watched struct {
	io.ReadCloser
	x *exchange
}

func (h *Handler) watch(x *exchange, body io.ReadCloser) io.ReadCloser {
	wait := h.config.Timeout + x.poll // it may be its header alone that has come at once
	return watched{transport.EndSilence(x.ctx, x.cancel, body, wait), x}
}

// Read implements io.Reader.
func (w watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if err != nil && err != io.EOF && (w.x.ctx.Err() == nil || errors.Is(err, transport.ErrSilent)) { // and the client is still there
		w.x.err = err
	}
	return n, err
}
