package session

import (
	"context"

	"github.com/zen-auth/zen/internal/store"
)

// Use has the profile use the named provider from now on, which somebody has signed
// in with before: both that sign-in and the one in use until now stay as they are.
// Nobody is asked, no provider is started. Without such a sign-in it is
// provider.ErrNoCredential.
func (s *Session) Use(ctx context.Context, name string) (store.Account, error) {
	var account store.Account
	err := s.Store.Lock(ctx, s.Profile, func(l *store.Locked) error {
		if err := s.signedIn(l.Record, name); err != nil {
			return err
		}
		account = l.Accounts[name]
		l.Provider = name
		return l.Save()
	})
	return account, err
}
