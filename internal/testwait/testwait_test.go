package testwait

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := Done(t.Context(), func() bool { return time.Since(began) >= time.Second }); err != nil || time.Since(began) != time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		began = time.Now()
		if err := Done(t.Context(), func() bool { return false }); err == nil || time.Since(began) != patience {
			t.Errorf("a condition that never holds: %v after %s", err, time.Since(began))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := Done(ctx, func() bool { return false }); !errors.Is(err, context.Canceled) {
			t.Errorf("with a canceled context: %v", err)
		}
		For(ctx, time.Hour)
		if time.Since(began) != patience {
			t.Error("For waited with a canceled context")
		}
	})
}
