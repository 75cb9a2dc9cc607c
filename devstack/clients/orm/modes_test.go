package orm

import (
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack/clients/orm/modes"
)

// instant is a time that each of the libraries stores and reads back.
var instant = time.Date(2026, 1, 3, 4, 5, 6, 7000, time.FixedZone("", 3600))

var (
	inEachMode = modes.Each
	must       = modes.Must
)

func same(t testing.TB, got, want time.Time) {
	t.Helper()
	if !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
