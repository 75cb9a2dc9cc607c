package provider_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

func TestAuthorizes(t *testing.T) {
	const id, other = "33057661-834e-4891-9b48-802d425d02b9", "0eb771dd-0000-4000-8000-000000000000"
	db := func(d provider.DatabaseClaims) provider.Claims {
		return provider.Claims{Issuer: "https://clerk.example", Subject: "user_1", Type: "JWT", Database: &d}
	}
	read := []provider.Permission{{Actions: []provider.Action{"data_read"}}}
	write := []provider.Permission{{Actions: []provider.Action{"data_read"}}, {Tables: []string{"t"}, Actions: []provider.Action{"data_add"}}}
	for name, test := range map[string]struct {
		claims provider.Claims
		id     string
		access provider.Access
		want   string
	}{
		"template token":            {claims: db(provider.DatabaseClaims{DatabaseID: id, Access: "rw"}), id: id},
		"id unknown to the profile": {claims: db(provider.DatabaseClaims{DatabaseID: id})},
		"no database claims":        {claims: provider.Claims{Issuer: "https://clerk.example"}, id: id, want: "no database claims"},
		"only a":                    {claims: db(provider.DatabaseClaims{Access: "ro"}), id: id, want: "no database claims"},
		"another database":          {claims: db(provider.DatabaseClaims{DatabaseID: other}), id: id, want: "is for database " + other},
		"group token":               {claims: db(provider.DatabaseClaims{GroupID: other}), id: id, want: "group"},
		"p names it":                {claims: db(provider.DatabaseClaims{Namespaces: map[string][]string{"rw": {other, id}}}), id: id},
		"p names another":           {claims: db(provider.DatabaseClaims{DatabaseID: id, Namespaces: map[string][]string{"rw": {other}}}), id: id, want: "is for database"},
		"p is empty":                {claims: db(provider.DatabaseClaims{Namespaces: map[string][]string{"rw": {}}}), id: id, want: "no database in its claim p"},
		"rw where ro was asked":     {claims: db(provider.DatabaseClaims{DatabaseID: id, Access: "rw"}), id: id, access: "ro", want: "grants rw"},
		"no a where ro was asked":   {claims: db(provider.DatabaseClaims{DatabaseID: id}), id: id, access: "ro", want: "grants rw"},
		"ro where ro was asked":     {claims: db(provider.DatabaseClaims{DatabaseID: id, Access: "ro"}), id: id, access: "ro"},
		"perm only reads":           {claims: db(provider.DatabaseClaims{DatabaseID: id, Access: "rw", Permissions: read}), id: id, access: "ro"},
		"perm writes":               {claims: db(provider.DatabaseClaims{DatabaseID: id, Access: "rw", Permissions: write}), id: id, access: "ro", want: "grants rw"},
		"p writes":                  {claims: db(provider.DatabaseClaims{Namespaces: map[string][]string{"ro": {other}, "rwa": {id}}}), id: id, access: "ro", want: "grants rw"},
		"OAuth access token": {claims: func() provider.Claims {
			c := db(provider.DatabaseClaims{DatabaseID: id})
			c.Type = "application/AT+JWT"
			return c
		}(), id: id, want: "at+jwt"},
		"id_token": {claims: func() provider.Claims {
			c := db(provider.DatabaseClaims{DatabaseID: id})
			c.IDToken = true
			return c
		}(), id: id, want: "id_token"},
		"machine token": {claims: func() provider.Claims {
			c := db(provider.DatabaseClaims{DatabaseID: id})
			c.Subject = "mch_1"
			return c
		}(), id: id, want: "machine token"},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.claims.Authorizes(provider.Target{URL: "libsql://db", DatabaseID: test.id}, test.access)
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (!errors.Is(err, provider.ErrPermission) || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want ErrPermission with %q", err, test.want)
			}
		})
	}
}
