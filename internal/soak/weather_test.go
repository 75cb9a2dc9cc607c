//go:build cgo && linux && (amd64 || arm64)

package soak_test

import (
	"errors"
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
	// aftermath is how long a fault has effects after its end: on an answer that was on its
	// way, or a process that is being started.
	aftermath = 250 * time.Millisecond
	// keySetAge limits how long Turso may use outdated keys: it fetches them once a second,
	// and fails to during a cut.
	keySetAge = 1500 * time.Millisecond
)

// weather records which faults happened, and when.
type weather struct {
	mu    sync.Mutex // guards what is below
	on    [kinds]int
	ended [kinds]time.Time // the last one's end
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

// since reports whether one of these kinds may have had effects at any time since began.
func (w *weather) since(began time.Time, after time.Duration, any ...spellKind) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, kind := range any {
		if w.on[kind] > 0 || w.ended[kind].Add(after).After(began) {
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
	case errors.As(err, &inBand):
		if inBand.Code == "TRANSACTION_TIMEOUT" && disturbed {
			return "network too slow for a transaction"
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
