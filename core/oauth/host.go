package oauth

import (
	"context"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// Host is the part of provider.Host that a sign-in needs: zen draws, and owns the
// terminal.
type Host interface {
	OpenURL(ctx context.Context, url, code string) error
	ShowCode(ctx context.Context, code, url string, expires time.Time) error
	Progress(ctx context.Context, text string) error
	AskSecret(ctx context.Context, question string) (provider.Secret, error)
}

const (
	// signInTimeout bounds a sign-in where the host sets no earlier end.
	signInTimeout = 30 * time.Minute
	// lastWord is for the answer to reach the host before its own deadline strikes,
	// after which it would not hear what was waited for.
	lastWord = 500 * time.Millisecond
)

// withEnd is ctx with an end a moment before its own.
func withEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	end := signInTimeout
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		end = min(left-min(lastWord, left/4), signInTimeout)
	}
	return context.WithTimeout(ctx, end)
}

// Interface guards
var _ Host = provider.Host(nil)
