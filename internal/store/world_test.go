package store_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/store"
)

// ring is a keyring in memory.
type ring struct {
	mu    sync.Mutex
	items map[string]provider.Secret
	reads int
	// down is the error of every call.
	down error
	// forgets makes Set report success and keep nothing.
	forgets bool
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
	if r.down == nil && !r.forgets {
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

// world is one user's machine: a state directory, a keyring, and programs that are started on
// it.
type world struct {
	t       *testing.T
	dir     string
	ring    *ring
	notices []string
}

func newWorld(t *testing.T) *world { return &world{t: t, dir: t.TempDir(), ring: newRing()} }

// program returns the store of a newly started program with this --storage.
func (w *world) program(asked store.Storage) *store.Store {
	return store.New(w.dir, store.WithKeyring(w.ring),
		store.WithStorage(func(string) store.Storage { return asked }),
		store.WithNotice(func(line string) { w.notices = append(w.notices, line) }))
}

// login does to the store what zen login does.
func (w *world) login(asked store.Storage, secret string) error {
	w.t.Helper()
	s := w.program(asked)
	plan, err := s.Choose(w.t.Context(), "p")
	if err != nil {
		return err
	}
	return s.LockWith(w.t.Context(), "p", plan, func(l *store.Locked) error {
		l.Provider = "clerk"
		l.Accounts["clerk"] = store.Account{
			Credential: provider.Credential{Data: provider.NewSecret(secret), Subject: "alice", Detail: "by e-mail"},
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
		w.t.Errorf("stored in %q, doubt %v, %v; want %q", m.Storage, m.Doubt, err, want)
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

// files returns the contents of all files in the state directory.
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

func (w *world) path() string     { return w.program("").Path("p") }
func (w *world) metaPath() string { return strings.TrimSuffix(w.path(), ".json") + ".meta" }

func (w *world) overwrite(content string) { must(w.t, os.WriteFile(w.path(), []byte(content), 0o600)) }

func (w *world) wantGone() {
	w.t.Helper()
	if _, err := os.Lstat(w.path()); !errors.Is(err, fs.ErrNotExist) {
		w.t.Errorf("%s: %v", w.path(), err)
	}
}
