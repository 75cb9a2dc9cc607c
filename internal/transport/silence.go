package transport

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// ErrSilent is the error of an answer that stops in the middle.
var ErrSilent error = &provider.Error{
	Kind: provider.ErrUnavailable, Message: "the database fell silent in the middle of its answer", Hint: "check the network",
}

// silent is the body of an answer that is ended by silence.
type silent struct {
	io.ReadCloser
	ctx   context.Context
	wait  time.Duration
	timer *time.Timer
}

// EndSilence returns the body of an answer, of which no read waits longer than wait: cancel,
// which is that of the request's context ctx, then ends the answer with ErrSilent. The time
// between two reads is the reader's own. Like any body, it is for one goroutine at a time.
func EndSilence(ctx context.Context, cancel context.CancelCauseFunc, body io.ReadCloser, wait time.Duration) io.ReadCloser {
	timer := time.AfterFunc(wait, func() { cancel(ErrSilent) })
	timer.Stop()
	return &silent{body, ctx, wait, timer}
}

// Read implements io.Reader.
func (s *silent) Read(p []byte) (int, error) {
	s.timer.Reset(s.wait)
	n, err := s.ReadCloser.Read(p)
	s.timer.Stop()
	if err != nil && err != io.EOF && errors.Is(context.Cause(s.ctx), ErrSilent) {
		err = ErrSilent
	}
	return n, err
}
