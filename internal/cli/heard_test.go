package cli

import (
	"bytes"
	"regexp"
	"sync"
	"testing"
	"time"
)

// heard is what a process has written so far, while it writes on.
type heard struct {
	mu   sync.Mutex // guards all below
	text bytes.Buffer
	more chan struct{} // closed when there is more; nil if nobody waits
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.more != nil {
		close(h.more)
		h.more = nil
	}
	return h.text.Write(p)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

// await waits until a text has come after the first from bytes, and returns where it ends.
func (h *heard) await(t testing.TB, from int, text string) int {
	t.Helper()
	_, end := h.match(t, from, regexp.MustCompile(regexp.QuoteMeta(text)))
	return end
}

// match is await for what looks like the pattern, and returns that, too.
func (h *heard) match(t testing.TB, from int, pattern *regexp.Regexp) (text string, end int) {
	t.Helper()
	hung := time.NewTimer(time.Minute) // a process that says nothing any more
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
			t.Fatalf("waited for %q after\n%s\nand saw\n%q", pattern, all[:from], all[from:])
		}
	}
}
