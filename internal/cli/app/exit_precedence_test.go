package app

import (
	"context"
	"errors"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

// The exit code of an error that wraps two kinds is that of the one that provider.Kind
// returns.
func TestExitCodeFollowsProviderKind(t *testing.T) {
	for _, a := range provider.Kinds() {
		for _, b := range append(provider.Kinds(), context.DeadlineExceeded) {
			err := errors.Join(b, a)
			if got, want := ExitCode(t.Context(), err), ExitCode(t.Context(), provider.Kind(err)); got != want {
				t.Errorf("an error of %v and %v: exit code %d, want %d", b, a, got, want)
			}
		}
		if got := ExitCode(t.Context(), errors.Join(a, ErrUsage)); got != ExitUsage {
			t.Errorf("a usage error with %v: exit code %d", a, got)
		}
	}
	if got := ExitCode(t.Context(), context.DeadlineExceeded); got != ExitUnavailable {
		t.Errorf("a passed deadline: exit code %d", got)
	}
}
