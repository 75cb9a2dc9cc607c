package app

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/zen-auth/zen/core/provider"
)

// ReadToken reads a token from standard input, or asks for it without an echo. Every user
// of the machine could read an argument.
func (e *Env) ReadToken(ctx context.Context) (provider.Secret, error) {
	if e.Interactive() {
		return NewUI(e).AskSecret(ctx, "Token")
	}
	text, err := io.ReadAll(io.LimitReader(e.In, 64<<10))
	if err != nil {
		return provider.Secret{}, fmt.Errorf("read the token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	token = strings.TrimSpace(strings.TrimPrefix(token, "Authorization:"))
	token = strings.TrimSpace(strings.TrimPrefix(token, "Bearer "))
	if token == "" {
		return provider.Secret{}, e.Usage("standard input has no token")
	}
	return provider.NewSecret(token), nil
}
