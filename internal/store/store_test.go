package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/breaker"
	"github.com/zen-auth/zen/internal/store"
)

func save(t *testing.T, s *store.Store, profile string, change func(*store.Record)) {
	t.Helper()
	err := s.Lock(t.Context(), profile, func(l *store.Locked) error {
		change(&l.Record)
		return l.Save()
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A credential is written to a file with mode 0600 in a directory with mode 0700, and read
// back unchanged. (spike C2)
func TestRoundTripAndModes(t *testing.T) {
	s := store.New(filepath.Join(t.TempDir(), "state"))
	when := time.Date(2026, 1, 3, 3, 33, 0, 0, time.UTC)
	account := store.Account{
		Credential: provider.Credential{Data: provider.NewSecret("client-jwt"), Subject: "alice", Detail: "by e-mail", Issued: when},
		Claims:     provider.Claims{Subject: "user_1", Organization: &provider.Organization{ID: "org_1"}},
		SignedIn:   when, EnvNames: []string{"TURSO_API_TOKEN"},
	}
	token := provider.Token{
		Value: provider.NewSecret("a.b.c"), Issued: when, Expires: when.Add(time.Minute),
		Verification: &provider.Verification{Issuer: "https://x", Algorithms: []string{"RS256"}},
	}
	state := breaker.State{
		Via: "platformtoken", Since: when, RetryAt: when.Add(time.Minute), Failures: 1,
		Rights: breaker.Rights{
			Access:      provider.AccessReadOnly,
			Permissions: []provider.Permission{{Tables: []string{"notes"}, Actions: []provider.Action{"data_read"}}},
		},
	}
	save(t, s, "default", func(r *store.Record) {
		r.Provider = "clerk"
		r.Accounts["clerk"] = account
		r.Tokens["key"] = token
		r.Breakers = map[string]breaker.State{"key": state}
	})
	got, err := s.Load("default")
	if err != nil {
		t.Fatal(err)
	}
	want := store.Record{
		Provider: "clerk",
		Accounts: map[string]store.Account{"clerk": account},
		Tokens:   map[string]provider.Token{"key": token},
		Breakers: map[string]breaker.State{"key": state},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for path, mode := range map[string]os.FileMode{s.Path("default"): 0o600, filepath.Dir(s.Path("default")): 0o700} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != mode {
			t.Errorf("%s has mode %04o, want %04o", path, info.Mode().Perm(), mode)
		}
	}
}

func TestProfileNamesNeverLeaveTheDirectory(t *testing.T) {
	s := store.New(t.TempDir())
	for _, bad := range []string{"", ".", "..", "../x", "a/b", `a\b`, "a\x00", strings.Repeat("a", 65), "-a"} {
		if _, err := s.Load(bad); !errors.Is(err, provider.ErrConfig) {
			t.Errorf("Load(%q) = %v", bad, err)
		}
	}
}

func TestLockExcludesAndEndsWithTheContext(t *testing.T) {
	s := store.New(t.TempDir())
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			save(t, s, "p", func(r *store.Record) { r.Provider += "x" })
		})
	}
	wg.Wait()
	if r, err := s.Load("p"); err != nil || r.Provider != "xxxxxxxx" {
		t.Errorf("lost an update: %q, %v", r.Provider, err)
	}
	err := s.Lock(t.Context(), "p", func(*store.Locked) error {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		return s.Lock(ctx, "p", func(*store.Locked) error { return nil })
	})
	holder := fmt.Sprintf("%s (process %d) holds the lock", filepath.Base(os.Args[0]), os.Getpid())
	if !errors.Is(err, provider.ErrUnavailable) || runtime.GOOS != "windows" && !strings.Contains(err.Error(), holder) {
		t.Errorf("second lock = %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"schema_version":1,"provider":"clerk","accounts":{"clerk":{"credential":"x","claims":{}}},"tokens":{"k":{"value":"v"}}}`))
	f.Add([]byte(`{"schema_version":1,"accounts":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := store.New(t.TempDir())
		path := s.Path("p")
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, data, 0o600))
		r, err := s.Load("p")
		if err != nil {
			return
		}
		save(t, s, "p", func(*store.Record) {})
		again, err := s.Load("p")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, again); diff != "" {
			t.Error(diff)
		}
	})
}

// A program that embeds zen may have secrets in its arguments.
func TestLockNamesOnlyZensCommands(t *testing.T) {
	before := os.Args
	defer func() { os.Args = before }()
	s := store.New(t.TempDir())
	for args, want := range map[string]string{"/bin/zen token x": "zen token", "/bin/app planted x": "app"} {
		os.Args = strings.Fields(args)
		err := s.Lock(t.Context(), "p", func(*store.Locked) error {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			return s.Lock(ctx, "p", func(*store.Locked) error { return nil })
		})
		if want += fmt.Sprintf(" (process %d) holds the lock", os.Getpid()); runtime.GOOS != "windows" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", args, err, want)
		}
	}
}

// A store for reading one token leaves the rest out, so it must never write.
func TestOneToken(t *testing.T) {
	dir := t.TempDir()
	save(t, store.New(dir), "p", func(r *store.Record) {
		r.Accounts["clerk"] = store.Account{Claims: provider.Claims{Subject: "user_1"}, EnvNames: []string{"X"}}
		r.Tokens["k X"] = provider.Token{Value: provider.NewSecret("a.b.c")}
		r.Tokens["another"] = provider.Token{Value: provider.NewSecret("d.e.f")}
	})
	reader := store.New(dir, store.OneToken(func(r store.Record) string { return "k " + r.Accounts["clerk"].EnvNames[0] }))
	r, err := reader.Load("p")
	if err != nil || r.Accounts["clerk"].Claims.Subject != "" || len(r.Accounts["clerk"].EnvNames) != 1 || len(r.Tokens) != 1 || r.Tokens["k X"].Value.Reveal() != "a.b.c" {
		t.Errorf("Load of one token = %+v, %v", r, err)
	}
	err = reader.Lock(t.Context(), "p", func(*store.Locked) error { t.Error("Lock called its function"); return nil })
	if err == nil {
		t.Error("Lock returned no error")
	}
	if r, err := store.New(dir).Load("p"); err != nil || r.Accounts["clerk"].Claims.Subject != "user_1" {
		t.Errorf("Load after the refused Lock = %+v, %v", r, err)
	}
}
