package app

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
)

// ReadToken reads a token from standard input, or asks for it without an echo: as an
// argument every user of the machine could read it.
func ReadToken(c *cli.Context) (provider.Secret, error) {
	if Interactive(c) {
		return NewUI(c).AskSecret(c.Context, "Token")
	}
	text, err := io.ReadAll(io.LimitReader(c.App.Reader, 64<<10))
	if err != nil {
		return provider.Secret{}, fmt.Errorf("read the token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	token = strings.TrimSpace(strings.TrimPrefix(token, "Authorization:"))
	token = strings.TrimSpace(strings.TrimPrefix(token, "Bearer "))
	if token == "" {
		return provider.Secret{}, Usage(c, "standard input has no token")
	}
	return provider.NewSecret(token), nil
}
