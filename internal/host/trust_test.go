package host

import (
	"context"
	"errors"
	"testing"
)

// Go-plugin's SecureConfig can be used for one start only, since its
// hash is never reset. Trust is asked at every one.
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
		t.Errorf("asked for %v", seen)
	}
	if _, err := m.Open(t.Context(), "exits", nil); !errors.Is(err, refusal) {
		t.Errorf("a refusal: %v", err)
	}
}
