package host

import (
	"sync"
	"time"
)

// use counts the calls to a process, and says when it has had none for a while.
type use struct {
	after time.Duration
	// idle is closed then; no call begins after that.
	idle chan struct{}

	// mu guards what is below.
	mu    sync.Mutex
	calls int
	ended bool
	timer *time.Timer
}

func newUse(after time.Duration) *use { return &use{after: after, idle: make(chan struct{})} }

// begin counts a call, unless it is too late for one.
func (u *use) begin() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return false
	}
	u.calls++
	if u.timer != nil {
		u.timer.Stop()
	}
	return true
}

// done ends a call.
func (u *use) done() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.calls--
	if u.calls == 0 && !u.ended {
		u.timer = time.AfterFunc(u.after, u.expire)
	}
}

func (u *use) expire() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.calls == 0 && !u.ended {
		u.ended = true
		close(u.idle)
	}
}

// end stops the counting: the process is being stopped.
func (u *use) end() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ended = true
	if u.timer != nil {
		u.timer.Stop()
	}
}

func (u *use) over() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.ended
}
