package lend

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/store"
)

// An issuer that rotates credentials accepts each one once: each of many callers gets the
// credential that the previous one left.
func TestStoredLendsOneAtATime(t *testing.T) {
	s := store.NewMemory()
	err := s.Lock(t.Context(), "default", func(l *store.Locked) error {
		l.Accounts["clerk"] = store.Account{Credential: provider.Credential{Data: provider.NewSecret("0")}}
		return l.Save()
	})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	seen := map[string]bool{}
	var callers sync.WaitGroup
	for range 20 {
		callers.Go(func() {
			err := Stored(t.Context(), s, "default", "clerk", func(_ context.Context, c *provider.Credential) (*provider.Credential, error) {
				mu.Lock()
				defer mu.Unlock()
				if seen[c.Data.Reveal()] {
					t.Errorf("%s was lent twice", c.Data.Reveal())
				}
				seen[c.Data.Reveal()] = true
				return &provider.Credential{Data: provider.NewSecret(c.Data.Reveal() + "i")}, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	record, err := s.Load("default")
	if got := record.Accounts["clerk"].Credential.Data.Reveal(); err != nil || got != "0"+strings.Repeat("i", 20) {
		t.Errorf("stored credential %s, %v", got, err)
	}
}
