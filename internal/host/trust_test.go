package host

import (
	"context"
	"errors"
	"testing"
)

// go-plugin's SecureConfig only works for one start, because its hash is never reset. Trust
// is called at every start.
func TestPitfall18EveryStartIsChecked(t *testing.T) {
	dir := installed(t, "good", "exits")
	refusal := errors.New("no")
	var seen []Binary
	m := NewManager(Options{Dirs: []string{dir}, Trust: func(_ context.Context, b Binary) error {
		seen = append(seen, b)
		if b.Name == "exits" {
			return refusal
		}
		return nil
	}})
	defer m.Close(context.Background())
	for range 2 {
		_ = verify(t, open(t, m, "good"), "exit")
	}
	want, err := Inspect([]string{dir}, "good")
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) < 2 || seen[0] != want || seen[1] != want || len(want.SHA256) != 64 || want.Size == 0 {
		t.Errorf("Trust was called for %v", seen)
	}
	if _, err := m.Open(t.Context(), "exits", nil); !errors.Is(err, refusal) {
		t.Errorf("Open of a refused binary: %v, want Trust's error", err)
	}
}
