package session_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/session"
)

// A token is only sent to a URL where its database is known to be.
func TestTokenStaysWhereItsDatabaseIs(t *testing.T) {
	const other = "0eb771dd-0000-4000-8000-000000000000"
	one := provider.DatabaseClaims{DatabaseID: databaseID}
	named := provider.DatabaseClaims{Namespaces: map[string][]string{"rw": {"acme.dev"}}}
	for name, test := range map[string]struct {
		own       bool
		id        string // of the target
		confirmed string // by the provider
		claims    provider.DatabaseClaims
		elsewhere string
		kind      error
		text      string
	}{
		"the profile's own, without an ID": {own: true, claims: one},
		"the profile's own, by its name":   {own: true, id: databaseID, claims: named},
		"the profile's own, known as such": {own: true, id: databaseID, claims: one},
		"the profile's own, at another URL in another profile": {
			own: true, claims: one, elsewhere: "libsql://its.example", kind: provider.ErrPermission, text: "which your configuration has at libsql://its.example",
		},
		"a foreign one":                         {claims: one, kind: provider.ErrConfig, text: "is not the database of profile"},
		"a foreign one, by its name":            {claims: named, kind: provider.ErrConfig, text: "the token stays here"},
		"a foreign one of a known id":           {id: databaseID, claims: one},
		"a foreign one of another id":           {id: other, claims: one, kind: provider.ErrPermission, text: "database"},
		"a foreign one of a known id, by name":  {id: databaseID, claims: named, kind: provider.ErrPermission, text: "acme.dev"},
		"a foreign one that the provider knows": {confirmed: databaseID, claims: one, elsewhere: "libsql://its.example"},
		"a foreign one of another database":     {confirmed: other, claims: one, kind: provider.ErrPermission, text: "is database " + other},
	} {
		t.Run(name, func(t *testing.T) {
			s, f := newSession(t, func(c *session.Config) {
				c.Target.DatabaseID, c.OwnTarget = test.id, test.own
				c.OtherURL = func(id, url string) string {
					if id != databaseID || url != c.Target.URL {
						return ""
					}
					return test.elsewhere
				}
			})
			if test.id != "" {
				f.claims.Database.DatabaseID = test.id
			}
			login(t, s, f, "clerk")
			f.claims.Database, f.database = &test.claims, test.confirmed
			f.now = f.now.Add(time.Hour) // the first token came with the login
			for range 2 {
				token, err := s.Token(t.Context())
				if test.kind == nil {
					if err != nil || token.Value.IsZero() || f.minted.Load() != 1 {
						t.Errorf("%v, after %d tokens", err, f.minted.Load())
					}
					// Another process finds the token in the store.
					token, err = session.New(s.Config()).TokenFor(t.Context(), 0)
					if err != nil || token.Value.IsZero() || f.minted.Load() != 1 {
						t.Errorf("stored: %v, after %d tokens", err, f.minted.Load())
					}
					continue
				}
				if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.text) || provider.Hint(err) == "" || !token.Value.IsZero() {
					t.Errorf("Token = %q, %v", token.Value.Reveal(), err)
				}
			}
		})
	}
}

// The token of a login for a foreign URL isn't kept, and a token that was stored before the
// profile's database changed isn't used for the old URL.
func TestFirstTokenOfAForeignDatabaseIsNotKept(t *testing.T) {
	s, f := newSession(t, func(c *session.Config) { c.Target.DatabaseID = "" })
	login(t, s, f, "clerk")
	if token, err := s.Token(t.Context()); !errors.Is(err, provider.ErrConfig) {
		t.Errorf("Token = %q, %v, want ErrConfig", token.Value.Reveal(), err)
	}
	s, f = newSession(t, func(c *session.Config) { c.Target.DatabaseID, c.OwnTarget = "", true })
	login(t, s, f, "clerk")
	wantToken(t, s, "first")
	moved := s.Config()
	moved.OwnTarget = false
	if token, err := session.New(moved).Token(t.Context()); !errors.Is(err, provider.ErrConfig) {
		t.Errorf("Token = %q, %v, want ErrConfig", token.Value.Reveal(), err)
	}
}

// An exp that is earlier than the provider's expiry counts, in a new token and in a stored
// one.
func TestEarlierEndCounts(t *testing.T) {
	s, f := newSession(t, nil)
	login(t, s, f, "clerk")
	f.claims.Expires = f.now.Add(20 * time.Second)
	f.now = f.now.Add(18 * time.Second)
	token, err := s.Token(t.Context())
	if err != nil || token.Value.Reveal() != "minted-1" || !token.Expires.Equal(f.claims.Expires) {
		t.Errorf("%q until %s, %v", token.Value.Reveal(), token.Expires, err)
	}
	f.now, f.life = f.now.Add(time.Hour), time.Hour
	if token, err := s.TokenFor(t.Context(), time.Minute); err == nil {
		t.Errorf("got %q, which expired at %s; it is %s", token.Value.Reveal(), f.claims.Expires, f.now)
	}
	status, err := s.Status(t.Context())
	if err != nil || !status.Token.Expires.IsZero() && !status.Token.Expires.Equal(f.claims.Expires) {
		t.Errorf("Status = %+v, %v", status, err)
	}
}
