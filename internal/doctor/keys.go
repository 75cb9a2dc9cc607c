package doctor

import (
	"context"
	"net/http"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/jwks/keyset"
)

// FetchKeys reads the key set at a URL, as Turso would.
func FetchKeys(ctx context.Context, client *http.Client, address string) ([]jwks.Key, error) {
	set, err := keyset.New(address, keyset.Options{Client: client})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return set.Keys(ctx)
}
