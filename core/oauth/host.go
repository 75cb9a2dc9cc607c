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

// signInTimeout bounds a sign-in where the host sets no earlier end.
const signInTimeout = 30 * time.Minute

// Interface guards
var _ Host = provider.Host(nil)
