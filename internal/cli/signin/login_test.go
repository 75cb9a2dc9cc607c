package signin

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zen-auth/zen/core/loopback"
	"github.com/zen-auth/zen/core/provider"
)

// A provider that ends itself before the host does, and says no more than that, has run into
// the timeout of the sign-in. Another timeout, in the middle of one, is told as it is.
func TestTimeoutOfTheProviderIsThatOfTheSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, o := range []LoginOptions{{Timeout: time.Second}, {Timeout: 16 * time.Second}, {Timeout: 5 * time.Minute}} {
			ctx, cancel := context.WithTimeout(t.Context(), o.Timeout)
			if o.Timeout > 10*time.Second {
				if err := o.explain(ctx, "clerk", "a step", context.DeadlineExceeded); err != context.DeadlineExceeded {
					t.Errorf("%s: at the begin: %v", o.Timeout, err)
				}
			}
			own, done := loopback.WithEnd(ctx, time.Hour)
			<-own.Done()
			err := o.explain(ctx, "clerk", "a step", own.Err())
			if !errors.Is(err, provider.ErrUnavailable) || !strings.HasSuffix(err.Error(), "was not finished within "+o.Timeout.String()+", where it was at: a step") {
				t.Errorf("%s: %v", o.Timeout, err)
			}
			done()
			cancel()
		}
	})
}
