package oauth_test

import (
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/jwks/keyset"
	"github.com/zen-auth/zen/core/oauth"
)

// A URL that is refused because it contains a password is shown without it.
func TestRefusedURLsAreShownWithoutSecrets(t *testing.T) {
	const url = "https://user:s3cret@issuer.example/?key=s3cret"
	_, discover := oauth.Discover(t.Context(), url, oauth.DiscoverOptions{})
	_, set := keyset.New(url, keyset.Options{})
	for _, err := range []error{discover, set} {
		if err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "issuer.example") {
			t.Errorf("the error is %v, want the host without the password", err)
		}
	}
}
