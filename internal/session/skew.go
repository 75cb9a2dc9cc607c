package session

import (
	"errors"
	"fmt"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// tellSkew is how far apart two clocks are before it is said.
const tellSkew = 30 * time.Second

// explainTime adds to a refusal for a new token's times what is wrong: its iat is
// what the issuer's clock showed a moment ago.
func (s *Session) explainTime(err error, token provider.Token) error {
	ahead := s.Now().Round(0).Sub(token.Issued.Round(0))
	if token.Issued.IsZero() || ahead.Abs() <= tellSkew || !errors.Is(err, provider.ErrTokenExpired) && !errors.Is(err, provider.ErrTokenInvalid) {
		return err
	}
	issuer := "its issuer"
	if token.Verification != nil {
		issuer = token.Verification.Issuer
	}
	direction := "ahead of"
	if ahead < 0 {
		direction = "behind"
	}
	return &provider.Error{
		Kind: provider.Kind(err), Err: err, Hint: "set the clock",
		Message: fmt.Sprintf("this machine's clock is %s %s that of %s: %v", ahead.Abs().Round(time.Second), direction, issuer, err),
	}
}
