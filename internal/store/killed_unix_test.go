//go:build unix

package store_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/store"
	"github.com/zen-auth/zen/internal/testwait"
)

// dirRing is a keyring that outlives a process, with a file for each item.
type dirRing string

func (r dirRing) path(item string) string {
	return filepath.Join(string(r), strings.ReplaceAll(item, "/", "_"))
}

func (r dirRing) Get(_ context.Context, item string) (provider.Secret, error) {
	data, err := os.ReadFile(r.path(item))
	if errors.Is(err, fs.ErrNotExist) {
		err = store.ErrNoItem
	}
	return provider.NewSecret(string(data)), err
}

func (r dirRing) Set(_ context.Context, item string, secret provider.Secret) error {
	return os.WriteFile(r.path(item), []byte(secret.Reveal()), 0o600)
}

func (r dirRing) Delete(_ context.Context, item string) error { return os.Remove(r.path(item)) }
func (r dirRing) Probe(context.Context) error                 { return nil }

// TestKilledWhileMoving kills a process that repeatedly moves a profile between a plain and a
// sealed file, at random moments. Each time there is one record, it can be read, and a login
// continues from it.
func TestKilledWhileMoving(t *testing.T) {
	if dir := os.Getenv("ZEN_TEST_MOVE"); dir != "" {
		for {
			for _, storage := range []store.Storage{store.StorageKeyring, store.StorageFile} {
				must(t, moveTo(t, dir, storage))
			}
		}
	}
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "ring"), 0o700))
	must(t, moveTo(t, dir, store.StorageFile))
	seen := map[store.Storage]int{}
	for range 40 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWhileMoving$")
		cmd.Env = append(os.Environ(), "ZEN_TEST_MOVE="+dir)
		must(t, cmd.Start())
		testwait.Moment(t.Context(), 10*time.Millisecond, 40*time.Millisecond)
		must(t, cmd.Process.Kill())
		_ = cmd.Wait()

		s := programOf(dir, "")
		r, err := s.Load("p")
		if got := r.Accounts["clerk"].Credential.Data.Reveal(); err != nil || got != "credential" {
			t.Fatalf("after a kill: %q, %v", got, err)
		}
		m, err := s.Meta("p")
		if err != nil || m.Storage == "" {
			t.Fatalf("after a kill: Meta = %+v, %v", m, err)
		}
		seen[m.Storage]++
	}
	t.Logf("found storages %v", seen)
	must(t, moveTo(t, dir, store.StorageKeyring))
	if m, err := programOf(dir, "").Meta("p"); err != nil || m.Storage != store.StorageKeyring || m.Doubt != nil {
		t.Errorf("Meta = %+v, %v", m, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "profiles", ".*")); err != nil || len(left) > 0 {
		t.Errorf("left by unfinished writes: %q", left)
	}
}

func programOf(dir string, asked store.Storage) *store.Store {
	return store.New(dir, store.WithKeyring(dirRing(filepath.Join(dir, "ring"))),
		store.WithStorage(func(string) store.Storage { return asked }))
}

func moveTo(t *testing.T, dir string, storage store.Storage) error {
	s := programOf(dir, storage)
	plan, err := s.Choose(t.Context(), "p")
	if err != nil {
		return err
	}
	return s.LockWith(t.Context(), "p", plan, func(l *store.Locked) error {
		l.Accounts["clerk"] = store.Account{Credential: provider.Credential{Data: provider.NewSecret("credential")}}
		return l.Save()
	})
}
