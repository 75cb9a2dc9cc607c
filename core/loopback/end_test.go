package loopback_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zen-auth/zen/core/loopback"
)

func TestWithEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct{ own, longest, want time.Duration }{
			{0, time.Minute, time.Minute},
			{time.Hour, time.Minute, time.Minute},
			{time.Minute, time.Hour, 57 * time.Second},
			{time.Second, time.Hour, 750 * time.Millisecond},
		} {
			ctx, cancel := context.WithCancel(t.Context())
			if test.own > 0 {
				cancel()
				ctx, cancel = context.WithTimeout(t.Context(), test.own)
			}
			bounded, release := loopback.WithEnd(ctx, test.longest)
			began := time.Now()
			<-bounded.Done()
			if took := time.Since(began); took != test.want || ctx.Err() != nil {
				t.Errorf("deadline %v, longest %v: ended after %v, the parent's error is %v", test.own, test.longest, took, ctx.Err())
			}
			release()
			cancel()
		}
	})
}
