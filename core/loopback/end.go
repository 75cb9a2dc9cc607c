package loopback

import (
	"context"
	"time"
)

// lastWord leaves an answer time to reach its caller before the caller's own deadline
// strikes, after which they would not hear what was waited for.
const lastWord = 3 * time.Second

// WithEnd is ctx with an end for a person at a browser: after longest, and a moment before
// the end of ctx itself.
func WithEnd(ctx context.Context, longest time.Duration) (context.Context, context.CancelFunc) {
	end := longest
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		end = min(left-min(lastWord, left/4), longest)
	}
	return context.WithTimeout(ctx, end)
}
