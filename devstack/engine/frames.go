package engine

import "sync"

// frameCount counts the frames that were committed since the database began, as
// libsql-server does: the number of the last one is on the wire.
type frameCount struct {
	mu    sync.Mutex // guards all below
	base  int64      // of logs before the current one
	log   int64      // frames of the current one
	again bool       // all of it was copied: the next commit may begin it anew
}

// begin takes over the frames that an earlier process counted: of them, logged are in
// the log.
func (f *frameCount) begin(total, logged int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.base, f.log = total-logged, logged
}

// logged notes that a commit made the log n frames long. Commits may be noted out of
// their order.
func (f *frameCount) logged(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n < f.log && f.again {
		f.base += f.log
		f.log, f.again = n, false
	}
	f.log = max(f.log, n)
}

func (f *frameCount) copied() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.again = true
}

// LastFrame returns the number of the last frame that was committed, counted from 0.
// It is not ok while there is none.
func (c *Conn) LastFrame() (n uint64, ok bool) {
	f := &c.db.frames
	f.mu.Lock()
	defer f.mu.Unlock()
	total := f.base + f.log
	return uint64(max(0, total-1)), total > 0
}

// total returns how many frames there were since the database began, and how many of
// them are in the log.
func (g *generations) total() (total, logged int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, end := range g.ends {
		total += int64(end)
	}
	return total + int64(len(g.log.pages)-g.begin), int64(len(g.log.pages))
}
