package session

import (
	"encoding/base64"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// A token whose issuer publishes no keys has expired when its own exp has passed, whatever
// its provider says.
func TestOwnExpEndsAnUnverifiableToken(t *testing.T) {
	now := time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)
	v := verifier{now: func() time.Time { return now }}
	part := base64.RawURLEncoding.EncodeToString
	for name, test := range map[string]struct {
		exp, says time.Duration // from now; 0 if none
		ended     bool
	}{
		"both are in the future":           {time.Minute, time.Hour, false},
		"its own exp has passed":           {-time.Second, time.Hour, true},
		"the provider's expiry has passed": {time.Hour, -time.Second, true},
		"no expiry from the provider":      {-time.Second, 0, true},
		"no expiry at all":                 {0, 0, false},
	} {
		payload := `{"id":"db"}`
		if test.exp != 0 {
			payload = fmt.Sprintf(`{"id":"db","exp":%d}`, now.Add(test.exp).Unix())
		}
		token := provider.Token{Value: provider.NewSecret(part([]byte(`{"alg":"EdDSA"}`)) + "." + part([]byte(payload)) + ".AA")}
		if test.says != 0 {
			token.Expires = now.Add(test.says)
		}
		if _, err := v.Verify(t.Context(), token, true); errors.Is(err, provider.ErrTokenExpired) != test.ended {
			t.Errorf("%s: %v", name, err)
		}
	}
}
