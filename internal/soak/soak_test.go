//go:build cgo && linux && (amd64 || arm64)

// Package soak_test keeps databases open under load while everything goes wrong: tokens
// expire, keys rotate, providers are killed, Turso loses the key set, and the network is cut
// and slowed.
package soak_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/internal/testwait"
)

const (
	usualDuration = 12 * time.Second
	goroutines    = 64
	tokenLifetime = 3 * time.Second
	// calm is how long the load continues without faults at the end.
	calm = 2 * time.Second
)

// No query fails unless the network failed it, no row is lost or doubled, and nothing leaks.
// The test is short, unless ZEN_TEST_SOAK has a duration (30m, for example).
func TestSoak(t *testing.T) {
	duration := usualDuration
	if text := os.Getenv("ZEN_TEST_SOAK"); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil || duration < usualDuration {
			t.Fatalf("ZEN_TEST_SOAK=%q is not a duration of %s or more", text, usualDuration)
		}
	}
	providers := buildProviders(t)
	before := takeStock(t)
	s := &soak{t: t, weather: &weather{}, counts: &counts{}}
	s.run(providers, duration)
	before.compare(t, s.dirs)
}

// soak is one run.
type soak struct {
	t       *testing.T
	weather *weather
	counts  *counts
	stack   *devstack.Stack
	// dirs must be empty in the end.
	dirs []string
}

func (s *soak) run(providers string, duration time.Duration) {
	t := s.t
	s.dirs = []string{t.TempDir()}
	t.Setenv("TMPDIR", s.dirs[0])
	stack, err := devstack.Start(devstack.Options{TokenLifetime: tokenLifetime})
	must(t, err)
	s.stack = stack
	defer func() { must(t, stack.Close()) }()
	home := signIn(t, stack, providers)
	handles := openHandles(t, home)
	_, err = handles[0].db.ExecContext(t.Context(), "CREATE TABLE ledger (id INTEGER NOT NULL, worker INTEGER NOT NULL); CREATE INDEX ledger_id ON ledger (id)")
	must(t, err)
	for _, h := range handles {
		h.sync(t)
		must(t, h.db.Ping())
	}
	kept := files(home)

	loading, calmed := context.WithCancel(t.Context())
	defer calmed()
	workers := make([]*worker, goroutines)
	var load, chaos sync.WaitGroup
	for i := range workers {
		workers[i] = &worker{soak: s, handle: handles[i%len(handles)], id: i}
		load.Go(func() { workers[i].run(loading) })
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, trouble := range []func(context.Context){s.disturbNetwork, s.rotateKeys, s.breakKeySet, s.killProviders} {
		chaos.Go(func() { trouble(ctx) })
	}
	chaos.Go(func() { s.watch(ctx, duration) })
	following, stop := context.WithCancel(t.Context())
	defer stop()
	var follower sync.WaitGroup
	follower.Go(func() { s.followAudit(following, filepath.Join(home, "zen", "state", "audit.log")) })
	testwait.For(ctx, duration-calm)
	_ = testwait.Done(ctx, func() bool { return len(s.wanting(duration)) == 0 }) // on a busy machine it takes longer
	cancel()
	chaos.Wait()
	testwait.For(t.Context(), calm)
	calmed()
	load.Wait()

	expected := ledger(workers)
	for _, h := range handles {
		h.sync(t)
		expected.compare(t, h)
	}
	for _, h := range handles {
		must(t, h.db.Close())
	}
	stop()
	follower.Wait()
	s.report(duration)
	for _, name := range files(home) {
		if !slices.Contains(kept, name) && !strings.HasPrefix(filepath.Base(name), "audit.log.") {
			t.Errorf("left in the home directory: %s", name)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
