package hrana

import "sync"

// texts are those that the server took when they were prepared.
type texts struct {
	mu    sync.Mutex // guards known
	known map[string]bool
}

// maxTexts bounds the texts that are remembered, and their length. When there are more
// the memory begins anew.
const (
	maxTexts   = 1000
	maxTextLen = 10_000
)

func (t *texts) has(text string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known[text]
}

func (t *texts) add(text string) {
	if len(text) > maxTextLen {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil || len(t.known) >= maxTexts {
		t.known = make(map[string]bool)
	}
	t.known[text] = true
}
