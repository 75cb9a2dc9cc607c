package transport

import (
	"cmp"
	"context"
	"net/http"

	"github.com/zen-auth/zen/core/provider"
)

// Greet has a connection authenticated that is not a request's: greet shows the token
// that it is given to the server, and returns with which text that refuses it, or "". As
// RoundTrip sends a request again, Greet calls it again, with a renewed token and those of
// the source's fallbacks. What is refused at last is a *Refused error. The token that was
// taken is returned.
func (t *RoundTripper) Greet(ctx context.Context, greet func(provider.Token) (refusal string, err error)) (provider.Token, error) {
	token, err := t.source.Token(ctx)
	if err != nil {
		return provider.Token{}, err
	}
	var first *Refused
	renewed := false
	for try := 1; ; try++ {
		claims, err := t.guard(token)
		if err != nil {
			return provider.Token{}, err
		}
		refusal, err := greet(token)
		if err != nil {
			return provider.Token{}, err
		}
		if refusal == "" {
			if fallBacker, ok := t.source.(FallBacker); ok {
				fallBacker.Accepted(ctx, token)
			}
			return token, nil
		}
		refused := newRefused(http.StatusUnauthorized, []byte(refusal), claims, t.target)
		first = cmp.Or(first, refused)
		if try == maxTries {
			return provider.Token{}, first
		}
		next, err := t.next(ctx, token, refused, &renewed)
		if err != nil || next.Value.Equal(token.Value) {
			first.Renewal = err
			return provider.Token{}, first
		}
		token = next
	}
}
