package session_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/store"
)

// Status reads and decodes a plain file with many tokens once.
func TestStatusDecodesAPlainFileOnce(t *testing.T) {
	credentials := store.New(filepath.Join(t.TempDir(), "state"))
	s, f := newSession(t, func(c *session.Config) { c.Store = credentials })
	login(t, s, f, "clerk")
	name := s.Profile()
	if err := credentials.Lock(t.Context(), name, func(l *store.Locked) error {
		for i := range 60 {
			l.Tokens[fmt.Sprintf("clerk/clerk/%d", i)] = f.token(fmt.Sprintf("%01000d", i))
		}
		return l.Save()
	}); err != nil {
		t.Fatal(err)
	}
	allocated := func(do func() error) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 20 {
			if err := do(); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / 20
	}
	once := allocated(func() error { _, _, err := credentials.MetaAndRecord(name); return err })
	status := allocated(func() error { _, err := s.Status(t.Context()); return err })
	if status > once+once/4 {
		t.Errorf("status takes %d bytes, reading the file once %d", status, once)
	}
}
