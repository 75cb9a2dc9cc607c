package transport_test

import (
	"context"
	"errors"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/transport"
)

// A refused greeting is repeated with a renewed token and with the fallbacks' tokens, like a
// refused request.
func TestGreetGoesOnAsARequestDoes(t *testing.T) {
	for name, test := range map[string]struct {
		refusals int
		greeted  int
		fails    bool
	}{
		"accepted": {0, 1, false}, "renewed": {1, 2, false}, "a fallback": {2, 3, false}, "all fallbacks fail": {9, 3, true},
	} {
		src := &fallbacks{source: source{tokens: []provider.Token{clerkToken(t, "1"), clerkToken(t, "2")}}, further: []provider.Token{clerkToken(t, "3")}, err: errors.ErrUnsupported}
		rt := transport.New(nil, src, provider.Target{URL: "libsql://app", DatabaseID: databaseID}, nil, "")
		seen := map[string]bool{}
		token, err := rt.Greet(t.Context(), func(token provider.Token) (string, error) {
			seen[token.Value.Reveal()] = true
			if len(seen) <= test.refusals {
				return "Authentication failed: The JWT has expired", nil
			}
			return "", nil
		})
		if len(seen) != test.greeted || (err != nil) != test.fails {
			t.Errorf("%s: %d greetings, %v", name, len(seen), err)
		}
		if test.fails {
			if !errors.Is(err, provider.ErrTokenExpired) || len(src.accepted) != 0 {
				t.Errorf("%s: %v, want ErrTokenExpired", name, err)
			}
		} else if len(src.accepted) != 1 || src.accepted[0] != token.Value.Reveal() {
			t.Errorf("%s: accepted %d", name, len(src.accepted))
		}
	}
}

// A token for another database is never sent.
func TestGreetGuardsTheToken(t *testing.T) {
	src := &source{tokens: []provider.Token{clerkToken(t, "1")}}
	rt := transport.New(nil, src, provider.Target{URL: "libsql://other", DatabaseID: "another"}, nil, "")
	_, err := rt.Greet(context.Background(), func(provider.Token) (string, error) {
		t.Error("the token was sent")
		return "", nil
	})
	if !errors.Is(err, provider.ErrPermission) {
		t.Error(err)
	}
}
