package store_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/store"
)

// A profile's tokens are limited in number and size, so that zen can read what it writes.
func TestTokensAreBounded(t *testing.T) {
	for _, storage := range []store.Storage{store.StorageFile, store.StorageKeyring} {
		for _, size := range []int{40, 15 << 10} {
			t.Run(fmt.Sprintf("%s, %d bytes each", storage, size), func(t *testing.T) {
				w := newWorld(t)
				must(t, w.login(storage, "credential"))
				s := w.program("")
				start := time.Now()
				for i := 0; i < 300; {
					must(t, s.Lock(t.Context(), "p", func(l *store.Locked) error {
						for end := i + 30; i < end; i++ {
							l.Tokens[fmt.Sprintf("clerk/clerk/target %d", i)] = provider.Token{
								Value: provider.NewSecret(strings.Repeat("x", size)), Issued: start.Add(time.Duration(i) * time.Second), Expires: start.Add(time.Hour),
							}
						}
						return l.Save()
					}))
				}
				w.wantCredential("credential")
				r, err := w.program("").Load("p")
				if err != nil {
					t.Fatal(err)
				}
				if n := len(r.Tokens); n < 32 || n > 64 {
					t.Errorf("%d tokens, want 32 to 64", n)
				}
				if _, ok := r.Tokens["clerk/clerk/target 299"]; !ok {
					t.Error("the newest is gone")
				}
				if _, ok := r.Tokens["clerk/clerk/1"]; ok {
					t.Error("an expired token was kept")
				}
			})
		}
	}
}

// A new token is kept, whatever its provider says about its age.
func TestNewTokenIsKept(t *testing.T) {
	w := newWorld(t)
	must(t, w.login(store.StorageFile, "credential"))
	must(t, w.program("").Lock(t.Context(), "p", func(l *store.Locked) error {
		for i := range 70 {
			l.Tokens[fmt.Sprint(i)] = provider.Token{Value: provider.NewSecret("x"), Issued: when, Expires: time.Now().Add(time.Hour)}
		}
		return l.Save()
	}))
	must(t, w.program("").Lock(t.Context(), "p", func(l *store.Locked) error {
		l.Tokens["new"] = provider.Token{Value: provider.NewSecret("y"), Expires: when}
		return l.Save()
	}))
	if r, err := w.program("").Load("p"); err != nil || r.Tokens["new"].Value.Reveal() != "y" || len(r.Tokens) != 64 {
		t.Errorf("%d tokens, %v", len(r.Tokens), err)
	}
}

// What couldn't be read again is not written, and the old record is kept.
func TestWhatCantBeReadIsNotWritten(t *testing.T) {
	for _, storage := range []store.Storage{store.StorageFile, store.StorageKeyring} {
		for name, account := range map[string]store.Account{
			"not text":   {Credential: provider.Credential{Data: provider.NewSecret("\xff\xfe")}},
			"too large":  {Credential: provider.Credential{Data: provider.NewSecret("x")}, EnvNames: []string{strings.Repeat("x", 5<<20)}},
			"escaped":    {Credential: provider.Credential{Data: provider.NewSecret(strings.Repeat("\x01", 900<<10))}},
			"surrogates": {Credential: provider.Credential{Data: provider.NewSecret("\xed\xa0\x80")}},
		} {
			t.Run(fmt.Sprint(storage, " ", name), func(t *testing.T) {
				w := newWorld(t)
				must(t, w.login(storage, "old"))
				before, err := os.ReadFile(w.path())
				must(t, err)
				err = w.program("").Lock(t.Context(), "p", func(l *store.Locked) error {
					l.Accounts["clerk"] = account
					return l.Save()
				})
				if err == nil || !strings.Contains(err.Error(), "nothing was changed") {
					t.Errorf("Save = %v", err)
				}
				if after, err := os.ReadFile(w.path()); err != nil || string(after) != string(before) {
					t.Errorf("the file changed: %v", err)
				}
				w.wantCredential("old")
			})
		}
	}
}

// If a keyring reports success but keeps nothing, nothing is sealed with a lost key.
func TestKeyringThatKeepsNothing(t *testing.T) {
	w := newWorld(t)
	w.ring.forgets = true
	must(t, w.login("", "credential"))
	w.wantStorage(store.StorageFile)
	w.wantCredential("credential")
	w.wantNotice("doesn't have it")

	w = newWorld(t)
	w.ring.forgets = true
	if err := w.login(store.StorageKeyring, "credential"); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("--storage keyring: %v", err)
	}
	if files := w.files(); len(files) > 0 {
		for name := range files {
			if strings.HasSuffix(name, ".json") {
				t.Errorf("%s was written", name)
			}
		}
	}
}
