//go:build cgo && linux && (amd64 || arm64)

package soak_test

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/transport"
)

// spellKind is a kind of fault that lasts for a while.
type spellKind int

const (
	cut spellKind = iota
	slow
	keysBroken
	rotated
	crashed
	kinds
)

const (
	// aftermath is how long a fault has effects after the end of the last query that met it:
	// on an answer that was on its way, or a process that is being started.
	aftermath = 250 * time.Millisecond
	// keySetAge limits how long Turso may use outdated keys: it fetches them once a second,
	// and fails to during a cut.
	keySetAge = 1500 * time.Millisecond
	// transactionLimit is the time after which the database rolls back a transaction that
	// others wait for.
	transactionLimit = 5 * time.Second
)

// weather records which faults happened, and when, and which queries were under way.
type weather struct {
	mu      sync.Mutex // guards what is below
	on      [kinds]int
	ended   [kinds]time.Time // the last one's end
	running map[*span]bool
	past    []*span
	prune   int // length of past at which spans are forgotten
}

// span is the time of a query.
type span struct{ began, ended time.Time }

// query records a query until over is called.
func (w *weather) query() (over func()) {
	s := &span{began: time.Now()}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running == nil {
		w.running = map[*span]bool{}
	}
	w.running[s] = true
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		s.ended = time.Now()
		delete(w.running, s)
		if w.past = append(w.past, s); len(w.past) > w.prune {
			earliest := s.ended
			for other := range w.running {
				earliest = timeMin(earliest, other.began)
			}
			w.past = slices.DeleteFunc(w.past, func(old *span) bool { return old.ended.Add(keySetAge).Before(earliest) })
			w.prune = 2*len(w.past) + 1000
		}
	}
}

func timeMin(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// begin begins a fault; over ends it.
func (w *weather) begin(kind spellKind) (over func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.on[kind]++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.on[kind]--
		w.ended[kind] = time.Now()
	}
}

// since reports whether one of these kinds may have had effects at any time since began. A
// query shares what others find out, such as that the issuer can't be reached: what they met
// counts, too, however long they took on a busy machine.
func (w *weather) since(began time.Time, after time.Duration, any ...spellKind) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	earliest := began
	for s := range w.running {
		earliest = timeMin(earliest, s.began)
	}
	for _, s := range w.past {
		if s.ended.Add(after).After(began) {
			earliest = timeMin(earliest, s.began)
		}
	}
	for _, kind := range any {
		if w.on[kind] > 0 || w.ended[kind].Add(after).After(earliest) {
			return true
		}
	}
	return false
}

// excuse returns why a query that began then may have failed, or an empty string if it must
// not. The error has to blame the network, and the network has to have failed.
func (w *weather) excuse(h *handle, began time.Time, err error) string {
	disturbed := w.since(began, aftermath, cut, slow)
	err = libsql.Explain(err)
	var refused *transport.Refused
	var inBand *hrana.Error
	switch {
	case errors.As(err, &refused):
		switch {
		case h.alone && w.since(began, keySetAge, cut, slow, keysBroken, rotated):
			return "refused, and no fallback"
		case disturbed && w.since(began, keySetAge, keysBroken, rotated):
			return "refused, and the fallback is across the network, too"
		case w.since(began, aftermath, keysBroken) && w.since(began, aftermath, crashed):
			// A call that issues a token isn't repeated after a crash: it may have had effects.
			return "refused, and the fallback's provider killed at that moment"
		}
	case errors.As(err, &inBand) && inBand.Code == "TRANSACTION_TIMEOUT", errors.Is(err, hrana.ErrNoTransaction):
		if time.Since(began) >= transactionLimit {
			return "network or machine too slow for a transaction"
		}
	case errors.Is(err, provider.ErrUnavailable):
		if disturbed {
			return "network"
		}
		if h.alone && w.since(began, aftermath, crashed) {
			return "provider crashed, no fallback"
		}
	}
	return ""
}
