//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"context"
	"sync"

	"github.com/zen-auth/zen/internal/link"
)

// pulls runs syncs one after the other, and lets those who wait share them: a sync that
// begins after a write brings it, and however many writers there are, two syncs are
// enough, the one that runs and the next.
type pulls struct {
	run func() (link.Synced, error)

	mu      sync.Mutex // guards the fields below
	next    *pull      // begins when the running one ends
	running bool
	closed  bool
	idle    chan struct{} // after closed: closed when none runs
}

// pull is one sync; its results may be read once done is closed.
type pull struct {
	done   chan struct{}
	synced link.Synced
	err    error
}

// wait returns the outcome of a sync that begins after the call. When ctx ends first,
// the sync goes on without the caller.
func (p *pulls) wait(ctx context.Context) (link.Synced, error) {
	if err := ctx.Err(); err != nil {
		return link.Synced{}, err
	}
	mine, err := p.join()
	if err != nil {
		return link.Synced{}, err
	}
	select {
	case <-mine.done:
		return mine.synced, mine.err
	case <-ctx.Done():
		return link.Synced{}, ctx.Err()
	}
}

func (p *pulls) join() (*pull, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	if p.next == nil {
		p.next = &pull{done: make(chan struct{})}
	}
	mine := p.next
	if !p.running {
		p.running = true
		go p.work()
	}
	return mine, nil
}

// work runs syncs until no caller waits for one. close waits for it.
func (p *pulls) work() {
	for {
		p.mu.Lock()
		mine := p.next
		p.next = nil
		if mine == nil {
			p.running = false
			if p.closed {
				close(p.idle)
			}
			p.mu.Unlock()
			return
		}
		closed := p.closed
		p.mu.Unlock()
		if !closed {
			mine.synced, mine.err = p.run()
		}
		if mine.err != nil || closed {
			p.mu.Lock()
			if p.closed { // its connections were cut
				mine.err = errClosed
			}
			p.mu.Unlock()
		}
		close(mine.done)
	}
}

// close lets no more begin, and returns a channel that is closed when none runs.
func (p *pulls) close() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.idle = make(chan struct{})
	if !p.running {
		close(p.idle)
	}
	return p.idle
}
