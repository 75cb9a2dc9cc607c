package store_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/zen-auth/zen/internal/store"
)

func TestDelete(t *testing.T) {
	for name, prepare := range map[string]func(w *world){
		"sealed":             func(w *world) { must(t, w.login("", "c")) },
		"plain":              func(w *world) { must(t, w.login(store.StorageFile, "c")) },
		"damaged":            func(w *world) { must(t, w.login("", "c")); w.overwrite("{") },
		"readable by others": func(w *world) { must(t, w.login("", "c")); must(t, os.Chmod(w.path(), 0o644)) },
		"no metadata":        func(w *world) { must(t, w.login("", "c")); must(t, os.Remove(w.metaPath())) },
		"nothing stored":     func(*world) {},
		"set aside": func(w *world) {
			must(t, w.login(store.StorageFile, "c"))
			w.overwrite("{")
			must(t, w.login("", "c"))
			w.overwrite("{{")
			must(t, w.login("", "c"))
			w.notices = nil
		},
		"key gone": func(w *world) { must(t, w.login("", "c")); clear(w.ring.items) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			prepare(w)
			other := filepath.Join(w.dir, "profiles", "p.json.damaged-1.json")
			must(t, os.MkdirAll(filepath.Dir(other), 0o700))
			must(t, os.WriteFile(other, []byte("{}"), 0o600))
			s := w.program("")
			if err := s.Delete(t.Context(), "p"); err != nil {
				t.Fatal(err)
			}
			must(t, os.Remove(other))
			if names := slices.Sorted(maps.Keys(w.files())); !slices.Equal(names, []string{"p.json.lock"}) {
				t.Errorf("left: %q", names)
			}
			if m, err := s.Meta("p"); err != nil || m.Storage != "" {
				t.Errorf("Meta = %+v, %v", m, err)
			}
			if list, err := s.List(); err != nil || len(list) != 0 {
				t.Errorf("List = %q, %v", list, err)
			}
			if (name == "sealed" || name == "no metadata") && len(w.ring.items) != 0 {
				t.Error("the key is still in the keyring")
			}
		})
	}
	t.Run("keyring unavailable", func(t *testing.T) {
		w := newWorld(t)
		must(t, w.login("", "c"))
		w.ring.down = errLocked
		must(t, w.program("").Delete(t.Context(), "p"))
		w.wantNotice("is still in the keyring, and opens nothing any more")
		w.wantGone()
	})
}
