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
		asked  []provider.Permission
	}{
		"template token":              {claims: db(provider.DatabaseClaims{DatabaseID: id, Access: "rw"}), id: id},
		"id unknown to the profile":   {claims: db(provider.DatabaseClaims{DatabaseID: id})},
		"no database claims":          {claims: provider.Claims{Issuer: "https://clerk.example"}, id: id, want: "no database claims"},
		"only a":                      {claims: db(provider.DatabaseClaims{Access: "ro"}), id: id, want: "no database claims"},
		"another database":            {claims: db(provider.DatabaseClaims{DatabaseID: other}), id: id, want: "is for database " + other},
		"group token":                 {claims: db(provider.DatabaseClaims{GroupID: other}), id: id, want: "group"},
		"p names it":                  {claims: db(provider.DatabaseClaims{Namespaces: map[string][]string{"rw": {id}, "ddl": {id}}}), id: id},
		"p names several":             {claims: db(provider.DatabaseClaims{Namespaces: map[string][]string{"rw": {other, id}}}), id: id, want: "several databases"},
		"p has a tag":                 {claims: db(provider.DatabaseClaims{Access: "ro", Namespaces: map[string][]string{"ro": {id}, "rw": {"tag:g"}}}), id: id, access: "ro", want: "for a group"},
		"id and gid":                  {claims: db(provider.DatabaseClaims{DatabaseID: id, GroupID: "g", Access: "ro"}), id: id, want: "for a group"},
		"p names another":             {claims: db(provider.DatabaseClaims{DatabaseID: id, Namespaces: map[string][]string{"rw": {other}}}), id: id, want: "is for database"},
		"p names it by name":          {claims: db(provider.DatabaseClaims{Namespaces: map[string][]string{"rw": {"acme.dev"}}}), id: id},
		"p is empty":                  {claims: db(provider.DatabaseClaims{Namespaces: map[string][]string{"rw": {}}}), id: id, want: "no database in its claim p"},
		"rw where ro is wanted":       {claims: db(provider.DatabaseClaims{DatabaseID: id, Access: "rw"}), id: id, access: "ro", want: "grants rw"},
		"no a where ro is wanted":     {claims: db(provider.DatabaseClaims{DatabaseID: id}), id: id, access: "ro", want: "grants rw"},
		"ro where ro is wanted":       {claims: db(provider.DatabaseClaims{DatabaseID: id, Access: "ro"}), id: id, access: "ro"},
		"perm only reads, a does not": {claims: db(provider.DatabaseClaims{DatabaseID: id, Access: "rw", Permissions: read}), id: id, access: "ro", want: "grants rw"},
		"perm writes":                 {claims: db(provider.DatabaseClaims{DatabaseID: id, Access: "rw", Permissions: write}), id: id, access: "ro", want: "grants rw"},
		"p writes":                    {claims: db(provider.DatabaseClaims{Namespaces: map[string][]string{"ro": {id}, "rwa": {id}}}), id: id, access: "ro", want: "grants rw"},
		"an unknown kind in p":        {claims: db(provider.DatabaseClaims{Access: "ro", Namespaces: map[string][]string{"ro": {id}, "superadmin": {id}}}), id: id, access: "ro", want: "grants rw"},
		"an unknown kind alone":       {claims: db(provider.DatabaseClaims{Access: "rw", Namespaces: map[string][]string{"superadmin": {id}}}), id: id, access: "ro", want: "grants rw"},
		"an unknown kind of others":   {claims: db(provider.DatabaseClaims{Namespaces: map[string][]string{"rw": {id}, "superadmin": {other}}}), id: id, want: "several databases"},
		"an unknown kind of no names": {claims: db(provider.DatabaseClaims{Namespaces: map[string][]string{"rw": {id}, "superadmin": nil}}), id: id, want: "every database"},
		"a known kind of no names":    {claims: db(provider.DatabaseClaims{Access: "ro", Namespaces: map[string][]string{"ro": {id}, "rw": {}}}), id: id, access: "ro"},
		"perm as requested":           {claims: db(provider.DatabaseClaims{DatabaseID: id, Permissions: write}), id: id, asked: write},
		"perm narrower":               {claims: db(provider.DatabaseClaims{DatabaseID: id, Permissions: read}), id: id, asked: write},
		"perm of one table":           {claims: db(provider.DatabaseClaims{DatabaseID: id, Permissions: write[1:]}), id: id, asked: []provider.Permission{{Actions: provider.Actions()}}},
		"perm wider":                  {claims: db(provider.DatabaseClaims{DatabaseID: id, Permissions: write}), id: id, asked: read, want: "more than the permissions"},
		"perm of another table":       {claims: db(provider.DatabaseClaims{DatabaseID: id, Permissions: write[1:]}), id: id, asked: []provider.Permission{{Tables: []string{"u"}, Actions: provider.Actions()}}, want: "more than the permissions"},
		"perm of all tables":          {claims: db(provider.DatabaseClaims{DatabaseID: id, Permissions: read}), id: id, asked: []provider.Permission{{Tables: []string{"t"}, Actions: provider.Actions()}}, want: "more than the permissions"},
		"no perm where requested":     {claims: db(provider.DatabaseClaims{DatabaseID: id}), id: id, asked: read, want: "more than the permissions"},
		"p where perm is wanted":      {claims: db(provider.DatabaseClaims{Permissions: read, Namespaces: map[string][]string{"ro": {id}}}), id: id, asked: read, want: "more than the permissions"},
		"OAuth access token": {claims: func() provider.Claims {
			c := db(provider.DatabaseClaims{Namespaces: map[string][]string{"rw": {id}}})
			c.Type = "application/AT+JWT"
			return c
		}(), id: id, want: "at+jwt"},
		"OAuth access token that names it": {claims: func() provider.Claims {
			c := db(provider.DatabaseClaims{DatabaseID: id})
			c.Type = "application/AT+JWT"
			return c
		}(), id: id},
		"OAuth access token, id unknown": {claims: func() provider.Claims {
			c := db(provider.DatabaseClaims{DatabaseID: id})
			c.Type = "at+jwt"
			return c
		}(), want: "at+jwt"},
		"OAuth access token of another": {claims: func() provider.Claims {
			c := db(provider.DatabaseClaims{DatabaseID: other})
			c.Type = "at+jwt"
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
			err := test.claims.Authorizes(provider.Target{URL: "libsql://db", DatabaseID: test.id}, test.access, test.asked)
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (!errors.Is(err, provider.ErrPermission) || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want ErrPermission with %q", err, test.want)
			}
		})
	}
}
