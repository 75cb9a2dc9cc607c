package session_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// crash is like host.CrashError.
type crash struct{ survived bool }

func (c crash) Error() string { return "provider example crashed in Token (signal: killed)" }
func (c crash) Unwrap() error { return provider.ErrUnavailable }
func (c crash) Died() bool    { return !c.survived }

// If a provider is killed during a call, the call is retried without an error. If it crashes
// again, the caller gets the error.
func TestCallIsRetriedAfterACrash(t *testing.T) {
	for name, test := range map[string]struct {
		once, always error
		minted       int32
		fails        bool
	}{
		"killed":       {once: fmt.Errorf("ask: %w", crash{}), minted: 2},
		"killed again": {always: crash{}, minted: 2, fails: true},
		"caught panic": {once: crash{survived: true}, minted: 1, fails: true},
		"unavailable":  {once: provider.ErrUnavailable, minted: 1, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			s, f := newSession(t, nil)
			login(t, s, f, "example")
			f.now = f.now.Add(time.Hour)
			f.failOnce, f.err = test.once, test.always
			before := f.minted.Load()
			_, err := s.Token(t.Context())
			if (err != nil) != test.fails || test.fails && !errors.Is(err, provider.ErrUnavailable) {
				t.Errorf("error %v", err)
			}
			if n := f.minted.Load() - before; n != test.minted {
				t.Errorf("%d calls, want %d", n, test.minted)
			}
		})
	}
}
