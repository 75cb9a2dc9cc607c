package cli

import (
	"bytes"
	"regexp"
	"sync"
	"testing"
	"time"
)

// liveOutput is the output of a running process so far.
type liveOutput struct {
	mu   sync.Mutex // guards the fields below
	text bytes.Buffer
	more chan struct{} // closed at the next write; nil if no caller waits
}

func (h *liveOutput) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.more != nil {
		close(h.more)
		h.more = nil
	}
	return h.text.Write(p)
}

func (h *liveOutput) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

// await waits until a text appears after the first from bytes, and returns the offset of its
// end.
func (h *liveOutput) await(t testing.TB, from int, text string) int {
	t.Helper()
	_, end := h.match(t, from, regexp.MustCompile(regexp.QuoteMeta(text)))
	return end
}

// match waits for a match of the pattern after the first from bytes, and returns the match
// and the offset of its end.
func (h *liveOutput) match(t testing.TB, from int, pattern *regexp.Regexp) (text string, end int) {
	t.Helper()
	hung := time.NewTimer(time.Minute) // for a process that hangs
	defer hung.Stop()
	for {
		h.mu.Lock()
		all := h.text.String()
		if h.more == nil {
			h.more = make(chan struct{})
		}
		more := h.more
		h.mu.Unlock()
		if at := pattern.FindStringIndex(all[from:]); at != nil {
			return all[from+at[0] : from+at[1]], from + at[1]
		}
		select {
		case <-more:
		case <-hung.C:
			t.Fatalf("no match of %q after\n%s\nin\n%q", pattern, all[:from], all[from:])
		}
	}
}
