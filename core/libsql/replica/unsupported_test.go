//go:build !(cgo && ((linux && (amd64 || arm64)) || (darwin && arm64)))

package replica_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/libsql"
	_ "github.com/zen-auth/zen/core/libsql/replica"
	"github.com/zen-auth/zen/core/provider"
)

// A build without go-libsql refuses the modes that need it with a hint.
func TestBuiltWithout(t *testing.T) {
	for _, o := range []libsql.Options{
		{Target: provider.Target{URL: ":memory:"}},
		{Target: provider.Target{URL: "libsql://app.turso.io"}, Path: "x", Source: noSource{}},
	} {
		if _, err := libsql.Open(t.Context(), o); !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), "built without go-libsql") || provider.Hint(err) == "" {
			t.Errorf("Open: %v, want ErrConfig with a hint", err)
		}
	}
}

type noSource struct{}

func (noSource) Token(context.Context) (provider.Token, error) { panic("Token was called") }
func (noSource) Renew(context.Context, provider.Token) (provider.Token, error) {
	panic("Renew was called")
}
