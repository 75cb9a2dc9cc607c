//go:build cgo && linux && (amd64 || arm64)

package soak_test

import (
	"context"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/fault"
)

// disturbNetwork cuts and slows the network for Clerk, Turso's API and the database alike.
// Once a minute an outage lasts longer than a token lives.
func (s *soak) disturbNetwork(ctx context.Context) {
	cuts := []string{fault.Cut, fault.CutBody, fault.BadGateway, fault.Unavailable, fault.RateLimited, fault.Flaky}
	slows := []string{fault.Latency, fault.SlowBody}
	for outage := time.Now().Add(4 * time.Second); sleep(ctx, 300*time.Millisecond, 3*time.Second); {
		name, kind, least, most := cuts[rand.IntN(len(cuts))], cut, 50*time.Millisecond, 500*time.Millisecond
		switch {
		case time.Now().After(outage):
			name, least, most = fault.Cut, tokenLifetime, tokenLifetime+time.Second
			outage = time.Now().Add(time.Minute)
		case rand.IntN(3) == 0:
			name, kind, most = slows[rand.IntN(len(slows))], slow, 1500*time.Millisecond
		}
		s.counts.add("network: " + name)
		s.during(ctx, kind, name, least, most)
	}
}

// breakKeySet makes Turso reject Clerk's signatures for a while.
func (s *soak) breakKeySet(ctx context.Context) {
	for pause := time.Second; sleep(ctx, pause, 2*pause); pause = 10 * time.Second {
		s.counts.add("key set broken at Turso")
		s.during(ctx, keysBroken, fault.JWKSStuck, 500*time.Millisecond, 2*time.Second)
	}
}

// during switches a fault on for a while.
func (s *soak) during(ctx context.Context, kind spellKind, name string, least, most time.Duration) {
	over := s.weather.begin(kind)
	defer over()
	s.check(s.stack.Faults.Switch(name, true))
	sleep(ctx, least, most)
	s.check(s.stack.Faults.Switch(name, false))
}

// rotateKeys makes Clerk sign with new keys, under new names or the same. The old keys stay
// published for a while: without that, an issuer invalidates tokens that are being used.
func (s *soak) rotateKeys(ctx context.Context) {
	for sleep(ctx, 1500*time.Millisecond, 3*time.Second) {
		over := s.weather.begin(rotated)
		s.check(s.stack.Clerk.RotateKey(clerk.Rotation{NewKeyID: rand.IntN(2) > 0, Overlap: true, KeepSessions: true}))
		over()
		s.counts.add("keys rotated")
	}
}

// killProviders kills provider processes.
func (s *soak) killProviders(ctx context.Context) {
	for sleep(ctx, 300*time.Millisecond, 1200*time.Millisecond) {
		providers := children()
		if len(providers) == 0 {
			continue
		}
		over := s.weather.begin(crashed)
		if syscall.Kill(providers[rand.IntN(len(providers))], syscall.SIGKILL) == nil {
			s.counts.add("providers killed")
		}
		over()
	}
}

// sleep waits for a random time, and returns false if ctx ended first.
func sleep(ctx context.Context, least, most time.Duration) bool {
	timer := time.NewTimer(least + rand.N(most-least))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
