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

// spellKind is something that goes wrong for a while.
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
	// aftermath is how long a spell goes on to be felt: an answer that was on its way, a
	// process that is being started.
	aftermath = 250 * time.Millisecond
	// keySetAge limits how long Turso may use the keys that it has: it looks for others
	// once a second, and in vain during a cut.
	keySetAge = 1500 * time.Millisecond
)

// weather is what went wrong, and when.
type weather struct {
	mu    sync.Mutex // guards what is below
	on    [kinds]int
	ended [kinds]time.Time // the last one's end
}

// begin begins a spell; over ends it.
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

// since reports whether one of the kinds could be felt at some time since began.
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

// excuse names what excuses a failure of a query that began then; "" means nothing. The
// error has to say that it is the network, and that has to be true.
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
			// A call that mints is not made again after a crash: it may have changed something.
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
