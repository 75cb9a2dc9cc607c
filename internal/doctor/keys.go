package doctor

import (
	"context"
	"encoding/base64"
	"net/http"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/jwks/keyset"
	"github.com/zen-auth/zen/core/provider"
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

var rawURL = base64.RawURLEncoding

func client() *http.Client { return httpclient.Client() }

// decode reads a token that the session has verified.
func decode(token provider.Secret) (provider.Claims, error) { return jwks.DecodeUnverified(token) }
