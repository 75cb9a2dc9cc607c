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
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/store"
)

// ring is a keyring in memory.
type ring struct {
	mu    sync.Mutex
	items map[string]provider.Secret
	reads int
	// down is what every call fails with.
	down error
	// before is called once, before the next Get.
	before func()
}

func newRing() *ring { return &ring{items: map[string]provider.Secret{}} }

var errLocked = &provider.Error{Kind: provider.ErrUnavailable, Message: "the keyring can't be used: locked", Hint: "unlock it"}

func (r *ring) Get(_ context.Context, item string) (provider.Secret, error) {
	if before := r.before; before != nil {
		r.before = nil
		before()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reads++
	secret, ok := r.items[item]
	if r.down == nil && !ok {
		return provider.Secret{}, store.ErrNoItem
	}
	return secret, r.down
}

func (r *ring) Set(_ context.Context, item string, secret provider.Secret) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down == nil {
		r.items[item] = secret
	}
	return r.down
}

func (r *ring) Delete(_ context.Context, item string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down == nil {
		delete(r.items, item)
	}
	return r.down
}

func (r *ring) Probe(context.Context) error { return r.down }

// world is one person's machine: a state directory and a keyring, and programs that
// start anew.
type world struct {
	t       *testing.T
	dir     string
	ring    *ring
	notices []string
}

func newWorld(t *testing.T) *world { return &world{t: t, dir: t.TempDir(), ring: newRing()} }

// program is a program that was just started, with --storage.
func (w *world) program(asked store.Storage) *store.Store {
	return store.New(w.dir, store.WithKeyring(w.ring),
		store.WithStorage(func(string) store.Storage { return asked }),
		store.WithNotice(func(line string) { w.notices = append(w.notices, line) }))
}

// login is what zen login does with the store.
func (w *world) login(asked store.Storage, secret string) error {
	w.t.Helper()
	s := w.program(asked)
	if err := s.Choose(w.t.Context(), "p"); err != nil {
		return err
	}
	return s.Lock(w.t.Context(), "p", func(l *store.Locked) error {
		l.Provider = "clerk"
		l.Accounts["clerk"] = store.Account{
			Credential: provider.Credential{Data: provider.NewSecret(secret), Subject: "alice"},
			Claims:     provider.Claims{Subject: "user_1", Organization: &provider.Organization{ID: "org_1", Slug: "acme"}},
			EnvNames:   []string{"X"},
		}
		l.Tokens["clerk/clerk/1"] = provider.Token{
			Value: provider.NewSecret(jwt), Issued: when, Expires: when.Add(time.Hour),
			Verification: &provider.Verification{Issuer: "https://issuer", KeySetURL: "https://issuer/keys"},
		}
		return l.Save()
	})
}

var when = time.Date(2026, 1, 3, 3, 33, 0, 0, time.UTC)

// jwt has the header {"alg":"RS256","kid":"ins_1"}, and a planted signature.
const jwt = "eyJhbGciOiJSUzI1NiIsImtpZCI6Imluc18xIn0.eyJzdWIiOiJwbGFudGVkLWNsYWltIn0.cGxhbnRlZC1zaWduYXR1cmU"

func (w *world) wantCredential(want string) {
	w.t.Helper()
	r, err := w.program("").Load("p")
	if got := r.Accounts["clerk"].Credential.Data.Reveal(); err != nil || got != want {
		w.t.Errorf("credential %q, %v; want %q", got, err, want)
	}
}

func (w *world) wantStorage(want store.Storage) store.Meta {
	w.t.Helper()
	m, err := w.program("").Meta("p")
	if err != nil || m.Storage != want || m.Doubt != nil {
		w.t.Errorf("rests in %q, doubt %v, %v; want %q", m.Storage, m.Doubt, err, want)
	}
	if keys := len(w.ring.items); keys != map[store.Storage]int{store.StorageKeyring: 1}[want] {
		w.t.Errorf("%d keys in the keyring with storage %q", keys, want)
	}
	return m
}

func (w *world) wantNotice(want string) {
	w.t.Helper()
	if len(w.notices) != 1 || !strings.Contains(w.notices[0], want) {
		w.t.Errorf("notices %q, want one with %q", w.notices, want)
	}
	w.notices = nil
}

// files are the contents of all files of the state directory.
func (w *world) files() map[string]string {
	files := map[string]string{}
	must(w.t, filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[filepath.Base(path)] = string(data)
		return err
	}))
	return files
}

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
				t.Errorf("%s has %q", name, secret)
			}
		}
		for item, key := range w.ring.items {
			if strings.Contains(content, key.Reveal()) {
				t.Errorf("%s has the key of %s", name, item)
			}
		}
	}
	// A second write uses the same key and another nonce.
	before := w.files()["p.json"]
	must(t, w.login("", "planted-credential"))
	if w.files()["p.json"] == before {
		t.Error("two writes of one record are the same bytes")
	}
	w.wantStorage(store.StorageKeyring)
}

func TestKeyIsReadOnceAProgram(t *testing.T) {
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
		t.Errorf("the keyring was read %d times", w.ring.reads)
	}
}

func TestPlainFileIsAnnouncedBeforeTheFirstWrite(t *testing.T) {
	w := newWorld(t)
	w.ring.down = errLocked
	s := w.program("")
	must(t, s.Choose(t.Context(), "p"))
	w.wantNotice("will be kept in a plain file (" + s.Path("p") + ", mode 0600) because the keyring can't be used: locked")
	w.wantGone()
	must(t, w.login("", "c"))
	if m := w.wantStorage(store.StorageFile); !strings.Contains(m.Reason, "locked") {
		t.Errorf("reason %q", m.Reason)
	}
	w.notices = nil
	w.ring.down = nil
	must(t, w.login("", "c2")) // it stays where it is
	if m := w.wantStorage(store.StorageFile); !strings.Contains(m.Reason, "locked") {
		t.Errorf("reason %q", m.Reason)
	}
	must(t, w.login(store.StorageFile, "c2")) // asked for: no reason any more
	if m := w.wantStorage(store.StorageFile); m.Reason != "" || len(w.notices) != 0 {
		t.Errorf("reason %q, notices %q", m.Reason, w.notices)
	}
}

// A program that stores a token without a login tells it, too.
func TestPlainFileIsAnnouncedWithoutALogin(t *testing.T) {
	w := newWorld(t)
	w.ring.down = errLocked
	save(t, w.program(""), "p", func(*store.Record) {})
	w.wantNotice("plain file")
}

func TestKeyringThatWasAskedForFailsClosed(t *testing.T) {
	for name, before := range map[string]store.Storage{"new": "", "plain file": store.StorageFile} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if before != "" {
				must(t, w.login(before, "old"))
			} else {
				must(t, w.program("").Delete(t.Context(), "p")) // leaves the lock
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

// Nothing but a login with --storage moves credentials, and that with one rename.
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

// A keyring that doesn't answer costs nothing: no credential, and no seal.
func TestUnavailableKeyringLosesAndDowngradesNothing(t *testing.T) {
	w := newWorld(t)
	must(t, w.login("", "c"))
	files := w.files()
	w.ring.down = errLocked
	for name, err := range map[string]error{
		"login":                w.login("", "new"),
		"login --storage file": w.login(store.StorageFile, "new"),
		"refresh": w.program("").Lock(t.Context(), "p", func(*store.Locked) error {
			t.Error("Lock gave an empty record out")
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

// "No such file", of a keyring's socket, is no word about the credentials' file.
func TestKeyringWithoutASocketIsUnavailable(t *testing.T) {
	w := newWorld(t)
	must(t, w.login("", "c"))
	w.ring.down = &provider.Error{Kind: provider.ErrUnavailable, Err: fs.ErrNotExist}
	if r, err := w.program("").Load("p"); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("Load = %v, %v", r, err)
	}
	for name, err := range map[string]error{
		"refresh": w.program("").Lock(t.Context(), "p", func(*store.Locked) error {
			t.Error("Lock gave an empty record out")
			return nil
		}),
		"login": w.login("", "new"),
	} {
		if !errors.Is(err, provider.ErrUnavailable) {
			t.Errorf("%s = %v", name, err)
		}
	}
}

// A default that was chosen while the keyring was away doesn't undo what another
// login did meanwhile.
func TestChoiceNobodyAskedForGivesWay(t *testing.T) {
	w := newWorld(t)
	w.ring.down = errLocked
	slow := w.program("")
	must(t, slow.Choose(t.Context(), "p"))
	w.ring.down = nil
	must(t, w.login("", "quick"))
	save(t, slow, "p", func(r *store.Record) { r.Provider = "slow" })
	w.wantStorage(store.StorageKeyring)
	w.wantCredential("quick")
}

// What moves, or goes, between the reading of the file and that of its key is no error.
func TestReaderMeetsAMove(t *testing.T) {
	w := newWorld(t)
	must(t, w.login("", "old"))
	w.ring.before = func() { must(t, w.login(store.StorageFile, "moved")) }
	w.wantCredential("moved")
	must(t, w.login(store.StorageKeyring, "old"))
	w.ring.before = func() { must(t, w.program("").Delete(t.Context(), "p")) }
	w.wantCredential("")
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

func TestDelete(t *testing.T) {
	for name, prepare := range map[string]func(w *world){
		"sealed":   func(w *world) { must(t, w.login("", "c")) },
		"plain":    func(w *world) { must(t, w.login(store.StorageFile, "c")) },
		"damaged":  func(w *world) { must(t, w.login("", "c")); w.overwrite("{") },
		"open":     func(w *world) { must(t, w.login("", "c")); must(t, os.Chmod(w.path(), 0o644)) },
		"no meta":  func(w *world) { must(t, w.login("", "c")); must(t, os.Remove(w.metaPath())) },
		"nothing":  func(*world) {},
		"key gone": func(w *world) { must(t, w.login("", "c")); clear(w.ring.items) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			prepare(w)
			s := w.program("")
			if err := s.Delete(t.Context(), "p"); err != nil {
				t.Fatal(err)
			}
			if names := slices.Sorted(maps.Keys(w.files())); !slices.Equal(names, []string{"p.json.lock"}) {
				t.Errorf("left: %q", names)
			}
			if m, err := s.Meta("p"); err != nil || m.Storage != "" {
				t.Errorf("Meta = %+v, %v", m, err)
			}
			if list, err := s.List(); err != nil || len(list) != 0 {
				t.Errorf("List = %q, %v", list, err)
			}
			if (name == "sealed" || name == "no meta") && len(w.ring.items) != 0 {
				t.Error("the key was left")
			}
		})
	}
	t.Run("keyring away", func(t *testing.T) {
		w := newWorld(t)
		must(t, w.login("", "c"))
		w.ring.down = errLocked
		must(t, w.program("").Delete(t.Context(), "p"))
		w.wantNotice("is still in the keyring, and opens nothing any more")
		w.wantGone()
	})
}

func (w *world) path() string     { return w.program("").Path("p") }
func (w *world) metaPath() string { return strings.TrimSuffix(w.path(), ".json") + ".meta" }

func (w *world) overwrite(content string) { must(w.t, os.WriteFile(w.path(), []byte(content), 0o600)) }

func (w *world) wantGone() {
	w.t.Helper()
	if _, err := os.Lstat(w.path()); !errors.Is(err, fs.ErrNotExist) {
		w.t.Errorf("%s: %v", w.path(), err)
	}
}

func TestNone(t *testing.T) {
	s := store.NewMemory()
	if !s.Ephemeral() || s.Path("p") != "" {
		t.Error("it has a place")
	}
	if err := s.Choose(t.Context(), "p"); !errors.Is(err, provider.ErrConfig) {
		t.Errorf("Choose = %v", err)
	}
	save(t, s, "p", func(r *store.Record) { r.Tokens["k"] = provider.Token{Value: provider.NewSecret("v")} })
	r, err := s.Load("p")
	if err != nil || r.Tokens["k"].Value.Reveal() != "v" {
		t.Errorf("Load = %v, %v", r, err)
	}
	delete(r.Tokens, "k") // a copy
	if r, _ := s.Load("p"); len(r.Tokens) != 1 {
		t.Error("two readers share a record")
	}
	if m, err := s.Meta("p"); err != nil || m.Storage != store.StorageNone || len(m.Tokens) != 1 {
		t.Errorf("Meta = %+v, %v", m, err)
	}
	must(t, s.Delete(t.Context(), "p"))
	if r, _ := s.Load("p"); len(r.Tokens) != 0 {
		t.Error("Delete left something")
	}
	w := newWorld(t)
	if err := w.login(store.StorageNone, "c"); !errors.Is(err, provider.ErrConfig) || len(w.files()) != 0 {
		t.Errorf("login --storage none = %v, and wrote %v", err, w.files())
	}
}
