// Package netfault makes an HTTP handler fail as networks and gateways do: late,
// not at all, or in the middle.
package netfault

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/zen-auth/zen/devstack/fault"
)

const (
	latency   = 500 * time.Millisecond
	slowChunk = 64 // bytes
	slowPause = 50 * time.Millisecond
)

// Handler serves as next does, unless a network fault is on. Each response is delayed by
// the latency.
func Handler(next http.Handler, faults *fault.Set, later time.Duration) http.Handler {
	return &handler{next: next, faults: faults, later: later}
}

type handler struct {
	next   http.Handler
	faults *fault.Set
	later  time.Duration
	count  atomic.Int64 // requests while Flaky was on
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	late := h.later
	if h.faults.On(fault.Latency) {
		late += latency
	}
	if late > 0 && !sleep(r.Context(), late) {
		return // the client is gone
	}
	switch {
	case h.faults.On(fault.Cut):
		panic(http.ErrAbortHandler)
	case h.faults.On(fault.BadGateway), h.faults.On(fault.Flaky) && h.count.Add(1)%2 == 1:
		http.Error(w, "upstream forward failed", http.StatusBadGateway)
	case h.faults.On(fault.Unavailable):
		later(w, http.StatusServiceUnavailable, `{"error":"service unavailable"}`)
	case h.faults.On(fault.RateLimited):
		later(w, http.StatusTooManyRequests, `{"error":"too many requests"}`)
	case h.faults.On(fault.CutBody):
		cut := &cutWriter{w, h.faults, false}
		if h.next.ServeHTTP(cut, r); !cut.late {
			panic(http.ErrAbortHandler) // there was no body to cut
		}
	case h.faults.On(fault.SlowBody):
		h.next.ServeHTTP(&slowWriter{w, r.Context(), h.faults}, r)
	default:
		h.next.ServeHTTP(w, r)
	}
}

// later refuses a request, with a retry after a second.
func later(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Retry-After", "1")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// sleep waits, and reports false if the client did not.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// cutWriter sends half of the first write, and then nothing: the request has still taken
// effect. A late response, after the fault is off, is complete.
type cutWriter struct {
	http.ResponseWriter
	faults *fault.Set
	late   bool
}

func (w *cutWriter) Write(b []byte) (int, error) {
	if w.late = w.late || !w.faults.On(fault.CutBody); w.late {
		return w.ResponseWriter.Write(b)
	}
	_, _ = w.ResponseWriter.Write(b[:len(b)/2])
	_ = http.NewResponseController(w.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

func (w *cutWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// slowWriter sends in small pieces while the network is slow.
type slowWriter struct {
	http.ResponseWriter
	ctx    context.Context
	faults *fault.Set
}

func (w *slowWriter) Write(b []byte) (n int, err error) {
	for n < len(b) {
		if !w.faults.On(fault.SlowBody) {
			k, err := w.ResponseWriter.Write(b[n:])
			return n + k, err
		}
		k, err := w.ResponseWriter.Write(b[n:min(n+slowChunk, len(b))])
		n += k
		if err != nil {
			return n, err
		}
		if err := http.NewResponseController(w.ResponseWriter).Flush(); err != nil {
			return n, err
		}
		if n < len(b) && !sleep(w.ctx, slowPause) {
			return n, w.ctx.Err()
		}
	}
	return n, nil
}

func (w *slowWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
