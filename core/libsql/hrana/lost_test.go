package hrana

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/zen-auth/zen/internal/testwait"
)

// A transaction lost to a network failure is ended on the server once the network is back:
// until then it may block other writers.
func TestLostTransactionIsEnded(t *testing.T) {
	f := newFake(t)
	f.on("A", wireResult{})
	var down atomic.Bool
	var lost atomic.Int32
	f.intercept = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		if !down.Load() {
			return false
		}
		if lost.Add(1)%2 == 0 {
			panic(http.ErrAbortHandler)
		}
		http.Error(w, "upstream forward failed", http.StatusBadGateway)
		return true
	}
	db := f.open()
	open := func() int {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.streams)
	}
	lose := func() {
		t.Helper()
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec("A"); err != nil {
			t.Fatal(err)
		}
		down.Store(true)
		if _, err := tx.Exec("A"); err == nil {
			t.Error("a statement without a network succeeded")
		}
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
		before := lost.Load()
		testwait.Until(t, "the stream is given up", func() bool { return lost.Load() >= before+2 })
	}
	lose()
	if open() != 1 {
		t.Fatalf("%d streams", open())
	}
	down.Store(false)
	testwait.Until(t, "the stream is closed", func() bool { return open() == 0 })

	lose()
	before := lost.Load()
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	// At most one attempt is under way, which net/http may send twice.
	if n := lost.Load() - before; n > 2 {
		t.Errorf("Close sent %d requests without a network, want at most 2", n)
	}
}
