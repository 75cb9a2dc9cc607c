package store_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/breaker"
	"github.com/zen-auth/zen/internal/private"
	"github.com/zen-auth/zen/internal/store"
)

func TestSealedWhereThereIsAKeyring(t *testing.T) {
	w := newWorld(t)
	must(t, w.login("", "planted-credential"))
	w.wantStorage(store.StorageKeyring)
	w.wantCredential("planted-credential")
	if len(w.notices) != 0 {
		t.Errorf("notices %q", w.notices)
	}
	for name, content := range w.files() {
		for _, secret := range []string{"planted-credential", jwt, "cGxhbnRlZC1zaWduYXR1cmU", "eyJhbGci", "planted-claim"} {
			if strings.Contains(content, secret) {
				t.Errorf("%s contains %q", name, secret)
			}
		}
		for item, key := range w.ring.items {
			if strings.Contains(content, key.Reveal()) {
				t.Errorf("%s contains the key of %s", name, item)
			}
		}
	}
	// A second write uses the same key and another nonce.
	before := w.files()["p.json"]
	must(t, w.login("", "planted-credential"))
	if w.files()["p.json"] == before {
		t.Error("two writes of one record have the same bytes")
	}
	w.wantStorage(store.StorageKeyring)
}

func TestKeyIsReadOncePerProcess(t *testing.T) {
	w := newWorld(t)
	must(t, w.login("", "c"))
	w.ring.reads = 0
	s := w.program("")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.Load("p"); err != nil {
				t.Error(err)
			}
			save(t, s, "p", func(*store.Record) {})
		})
	}
	wg.Wait()
	if w.ring.reads != 1 {
		t.Errorf("the keyring was read %d times, want once", w.ring.reads)
	}
}

func TestPlainFileIsAnnouncedBeforeTheFirstWrite(t *testing.T) {
	w := newWorld(t)
	w.ring.down = errLocked
	s := w.program("")
	_, err := s.Choose(t.Context(), "p")
	must(t, err)
	w.wantNotice("will be kept in a plain file (" + s.Path("p") + ", " + private.Closed + ") because the keyring can't be used: locked")
	w.wantGone()
	must(t, w.login("", "c"))
	if m := w.wantStorage(store.StorageFile); !strings.Contains(m.Reason, "locked") {
		t.Errorf("reason %q", m.Reason)
	}
	w.notices = nil
	w.ring.down = nil
	must(t, w.login("", "c2")) // the storage stays
	if m := w.wantStorage(store.StorageFile); !strings.Contains(m.Reason, "locked") {
		t.Errorf("reason %q", m.Reason)
	}
	must(t, w.login(store.StorageFile, "c2")) // requested, so without a reason
	if m := w.wantStorage(store.StorageFile); m.Reason != "" || len(w.notices) != 0 {
		t.Errorf("reason %q, notices %q", m.Reason, w.notices)
	}
}

// A program that stores a token without a login announces the plain file, too.
func TestPlainFileIsAnnouncedWithoutALogin(t *testing.T) {
	w := newWorld(t)
	w.ring.down = errLocked
	save(t, w.program(""), "p", func(*store.Record) {})
	w.wantNotice("plain file")
}

func TestRequestedKeyringFailsClosed(t *testing.T) {
	for name, before := range map[string]store.Storage{"new": "", "plain file": store.StorageFile} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if before != "" {
				must(t, w.login(before, "old"))
			} else {
				must(t, w.program("").Delete(t.Context(), "p")) // leaves the lock file
			}
			files := w.files()
			w.ring.down = errLocked
			err := w.login(store.StorageKeyring, "new")
			if !errors.Is(err, provider.ErrUnavailable) || !strings.Contains(provider.Hint(err), "--storage file") {
				t.Errorf("login = %v, hint %q", err, provider.Hint(err))
			}
			if diff := cmp.Diff(files, w.files()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Only a login with --storage moves credentials, with a single rename.
func TestMoving(t *testing.T) {
	w := newWorld(t)
	must(t, w.login(store.StorageFile, "one"))
	save(t, w.program(store.StorageKeyring), "p", func(*store.Record) {}) // ZEN_STORAGE, at a refresh
	w.wantStorage(store.StorageFile)
	must(t, w.login(store.StorageKeyring, "two"))
	w.wantNotice("moved from a plain file to a sealed file")
	w.wantStorage(store.StorageKeyring)
	w.wantCredential("two")
	must(t, w.login("", "three"))
	w.wantStorage(store.StorageKeyring)
	must(t, w.login(store.StorageFile, "four"))
	w.wantNotice("moved from a sealed file to a plain file")
	w.wantStorage(store.StorageFile)
	w.wantCredential("four")
	if names := slices.Sorted(maps.Keys(w.files())); !slices.Equal(names, []string{"p.json", "p.json.lock", "p.meta"}) {
		t.Errorf("files %q", names)
	}
}

// While the keyring doesn't answer, no credential is lost or stored unsealed.
func TestUnavailableKeyringLosesAndDowngradesNothing(t *testing.T) {
	w := newWorld(t)
	must(t, w.login("", "c"))
	files := w.files()
	w.ring.down = errLocked
	for name, err := range map[string]error{
		"login":                w.login("", "new"),
		"login --storage file": w.login(store.StorageFile, "new"),
		"refresh": w.program("").Lock(t.Context(), "p", func(*store.Locked) error {
			t.Error("Lock returned an empty record")
			return nil
		}),
	} {
		if !errors.Is(err, provider.ErrUnavailable) {
			t.Errorf("%s = %v", name, err)
		}
	}
	if _, err := w.program("").Load("p"); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("Load = %v", err)
	}
	if diff := cmp.Diff(files, w.files()); diff != "" {
		t.Error(diff)
	}
	w.ring.down = nil
	w.wantCredential("c")
}

// ErrNotExist about a keyring's socket says nothing about the credentials file.
func TestKeyringWithoutASocketIsUnavailable(t *testing.T) {
	w := newWorld(t)
	must(t, w.login("", "c"))
	w.ring.down = &provider.Error{Kind: provider.ErrUnavailable, Err: fs.ErrNotExist}
	if r, err := w.program("").Load("p"); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("Load = %v, %v", r, err)
	}
	for name, err := range map[string]error{
		"refresh": w.program("").Lock(t.Context(), "p", func(*store.Locked) error {
			t.Error("Lock returned an empty record")
			return nil
		}),
		"login": w.login("", "new"),
	} {
		if !errors.Is(err, provider.ErrUnavailable) {
			t.Errorf("%s = %v", name, err)
		}
	}
}

// A default that was chosen while the keyring was unavailable doesn't undo another login's
// choice.
func TestDefaultChoiceGivesWay(t *testing.T) {
	w := newWorld(t)
	w.ring.down = errLocked
	slow := w.program("")
	plan, err := slow.Choose(t.Context(), "p")
	must(t, err)
	w.ring.down = nil
	must(t, w.login("", "quick"))
	must(t, slow.LockWith(t.Context(), "p", plan, func(l *store.Locked) error {
		l.Provider = "slow"
		return l.Save()
	}))
	w.wantStorage(store.StorageKeyring)
	w.wantCredential("quick")
}

// A reader gets no error if a record is moved or deleted between reading the file and its
// key.
func TestReaderMeetsAMove(t *testing.T) {
	w := newWorld(t)
	must(t, w.login("", "old"))
	w.ring.before = func() { must(t, w.login(store.StorageFile, "moved")) }
	w.wantCredential("moved")
	must(t, w.login(store.StorageKeyring, "old"))
	w.ring.before = func() { must(t, w.program("").Delete(t.Context(), "p")) }
	w.wantCredential("")
}

// An interrupt between the issuer's answer and the write must not lose the credential.
func TestInterruptedSaveIsSealed(t *testing.T) {
	w := newWorld(t)
	must(t, w.login("", "old"))
	for range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		err := w.program("").Lock(ctx, "p", func(l *store.Locked) error {
			cancel()
			return l.Save()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestUnfinishedWritesAreSwept(t *testing.T) {
	w := newWorld(t)
	must(t, w.login(store.StorageFile, "c"))
	dir := filepath.Dir(w.path())
	for _, name := range []string{".p.json.zen-1a", ".p.meta.zen-9", ".p.json1.json.zen-5", ".q.json.zen-1", ".p.json.zen-X"} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte("secret"), 0o600))
	}
	must(t, w.login("", "c2"))
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	for i := range left {
		left[i] = filepath.Base(left[i])
	}
	if err != nil || !slices.Equal(left, []string{".p.json.zen-X", ".p.json1.json.zen-5", ".q.json.zen-1"}) {
		t.Errorf("left: %q, %v", left, err)
	}
}

func TestTwoStateDirectoriesShareNoKey(t *testing.T) {
	one, two := newWorld(t), newWorld(t)
	two.ring = one.ring
	must(t, one.login("", "one"))
	must(t, two.login("", "two"))
	must(t, two.program("").Delete(t.Context(), "p"))
	one.wantCredential("one")
	one.wantStorage(store.StorageKeyring)
}

func TestNone(t *testing.T) {
	s := store.NewMemory()
	if !s.Ephemeral() || s.Path("p") != "" {
		t.Error("a store in memory has a path")
	}
	if _, err := s.Choose(t.Context(), "p"); !errors.Is(err, provider.ErrConfig) {
		t.Errorf("Choose = %v", err)
	}
	save(t, s, "p", func(r *store.Record) {
		r.Tokens["k"] = provider.Token{Value: provider.NewSecret("v")}
		r.Breakers = map[string]breaker.State{"k": {}}
	})
	r, err := s.Load("p")
	if err != nil || r.Tokens["k"].Value.Reveal() != "v" {
		t.Errorf("Load = %v, %v", r, err)
	}
	clear(r.Tokens) // a copy
	clear(r.Breakers)
	if r, _ := s.Load("p"); len(r.Tokens) != 1 || len(r.Breakers) != 1 {
		t.Error("two readers share a record")
	}
	if m, err := s.Meta("p"); err != nil || m.Storage != store.StorageNone || len(m.Tokens) != 1 {
		t.Errorf("Meta = %+v, %v", m, err)
	}
	must(t, s.Delete(t.Context(), "p"))
	if r, _ := s.Load("p"); len(r.Tokens) != 0 {
		t.Error("Delete left tokens")
	}
	w := newWorld(t)
	if err := w.login(store.StorageNone, "c"); !errors.Is(err, provider.ErrConfig) || len(w.files()) != 0 {
		t.Errorf("login --storage none = %v, and wrote %v", err, w.files())
	}
}
