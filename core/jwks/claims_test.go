package jwks_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/jwks/internal/keytest"
	"github.com/zen-auth/zen/core/provider"
)

func decode(payload string) (provider.Claims, error) {
	return jwks.DecodeUnverified(provider.NewSecret(keytest.B64([]byte(`{"alg":"RS256"}`)) + "." + keytest.B64([]byte(payload)) + ".AA"))
}

func TestClaims(t *testing.T) {
	for name, test := range map[string]struct {
		payload string
		want    provider.Claims
	}{
		// From Clerk's documentation of session tokens.
		"session v2": {
			`{"azp":"http://localhost:3000","fva":[7,-1],"sid":"sess_1","sub":"user_1","v":2,"pla":"u:free|o:pro",
			"fea":"o:dashboard,o:teams","sts":"active","o":{"id":"org_1","slg":"acme","rol":"admin","per":"manage,read","fpm":"3,2"},
			"act":{"iss":"https://dashboard.clerk.com","sub":"user_2"}}`,
			provider.Claims{
				AuthorizedParty: "http://localhost:3000", Session: "sess_1", Subject: "user_1", Status: "active", Actor: "user_2",
				Organization: &provider.Organization{ID: "org_1", Slug: "acme", Role: "org:admin", Permissions: []string{
					"org:dashboard:manage", "org:dashboard:read", "org:teams:read",
				}},
			},
		},
		"session v2, user features in between": {
			`{"v":2,"fea":"u:dark, o:a,uo:b,o:c,o:d","o":{"id":"org_1","per":"x , y","fpm":"1, x,340282366920938463463374607431768211455"}}`,
			provider.Claims{Organization: &provider.Organization{ID: "org_1", Permissions: []string{"org:a:x", "org:c:x", "org:c:y"}}},
		},
		"session v2 without organization": {`{"v":2,"sub":"user_1"}`, provider.Claims{Subject: "user_1"}},
		"v3 with an organization":         {`{"v":3,"o":{"id":"org_1"}}`, provider.Claims{Organization: &provider.Organization{ID: "org_1"}}},
		"Auth0": {
			`{"aud":["a","b"],"org_id":"org_1","org_name":"acme"}`,
			provider.Claims{Audience: []string{"a", "b"}, Organization: &provider.Organization{ID: "org_1", Slug: "acme"}},
		},
		"o of a template is not Clerk's": {`{"o":{"id":"org_1"},"act":"x","sid":5}`, provider.Claims{}},
		"Turso's template": {
			`{"a":"ro","id":"db-1","perm":[{"t":["words"],"a":["data_read"]},{"t":null,"a":["schema_add"]}],"rid":"r-1"}`,
			provider.Claims{Database: &provider.DatabaseClaims{
				DatabaseID: "db-1", Access: provider.AccessReadOnly, RoleID: "r-1",
				Permissions: []provider.Permission{
					{Tables: []string{"words"}, Actions: []provider.Action{"data_read"}},
					{Actions: []provider.Action{"schema_add"}},
				},
			}},
		},
		"group, no a":  {`{"gid":"g-1"}`, provider.Claims{Database: &provider.DatabaseClaims{GroupID: "g-1", Access: provider.AccessReadWrite}}},
		"perm alone":   {`{"perm":[]}`, provider.Claims{Database: &provider.DatabaseClaims{Access: provider.AccessReadWrite}}},
		"roa":          {`{"id":"d","a":"roa"}`, provider.Claims{Database: &provider.DatabaseClaims{DatabaseID: "d", Access: provider.AccessReadWrite}}},
		"null is none": {`{"id":null,"exp":null,"p":null}`, provider.Claims{}},
		// serde reads names exactly; a token with Id is open to every database.
		"names are exact": {`{"ID":"db-1","Id":"db-1","A":"ro","P":{}}`, provider.Claims{}},
		"namespaces": {
			`{"p":{"ro":{"ns":["a","b"]},"ddl":null}}`,
			provider.Claims{Database: &provider.DatabaseClaims{Access: provider.AccessReadOnly, Namespaces: map[string][]string{"ro": {"a", "b"}}}},
		},
		"namespaces widen a": {
			`{"a":"ro","p":{"rw":{"ns":["a"],"tags":["t"]}}}`,
			provider.Claims{Database: &provider.DatabaseClaims{Access: provider.AccessReadWrite, Namespaces: map[string][]string{"rw": {"a", "tag:t"}}}},
		},
		"an unknown kind in p": {
			`{"a":"ro","p":{"ro":{"ns":["a"]},"superadmin":{"ns":["a"]}}}`,
			provider.Claims{Database: &provider.DatabaseClaims{Access: provider.AccessReadWrite, Namespaces: map[string][]string{"ro": {"a"}, "superadmin": {"a"}}}},
		},
		"tables in p": {
			`{"p":{"rw":{"ns":["acme.dev"],"tables":{"all":{"data_read":true}}}}}`,
			provider.Claims{Database: &provider.DatabaseClaims{Access: provider.AccessReadWrite, Namespaces: map[string][]string{"rw": {"acme.dev"}}}},
		},
		"empty p": {`{"p":{}}`, provider.Claims{Database: &provider.DatabaseClaims{Access: provider.AccessReadWrite, Namespaces: map[string][]string{}}}},
	} {
		got, err := decode(test.payload)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		test.want.Algorithm = "RS256"
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestClaimsRefused(t *testing.T) {
	for _, payload := range []string{
		``, `null`, `[]`, `"x"`, `{`, `{"iss":1}`, `{"sub":{}}`, `{"aud":5}`, `{"aud":["a",5]}`, `{"exp":"1"}`, `{"nbf":-1}`,
		`{"iat":0}`, `{"exp":253402300800}`, `{"id":5}`, `{"gid":[]}`, `{"rid":true}`, `{"a":"admin"}`, `{"a":1}`,
		`{"perm":"all"}`, `{"perm":[5]}`, `{"perm":[{"t":"words"}]}`, `{"perm":[{"t":[]}]}`, `{"p":[]}`, `{"p":{"rw":["a"]}}`,
		// Of two names one reader takes the first, another one the last, libsql-server none.
		`{"id":"a","id":"b"}`, `{"id":"a","\u0069d":"b"}`, `{"p":{"ro":{"ns":["a"]},"ro":{"ns":["b"]}}}`, `{"p":{"ro":{"ns":["a"],"n\u0073":["b"]}}}`,
		`{"perm":[{"t":null,"t":["a"],"a":["data_read"]}]}`, `{"aud":[{"a":1,"a":2}]}`,
		`{"exp":1e400}`, `{"exp":-0}`, `{"exp":18446744073709551616}`, `{"exp":true}`, `{"exp":[1]}`, `{"id":1e400}`, `{"a":"r\u0000o"}`, `{"a":"\ud800"}`, `{"p":{"ro":1e400}}`,
		`{"p":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`,
	} {
		if got, err := decode(payload); !errors.Is(err, provider.ErrTokenInvalid) {
			t.Errorf("%s: %+v, %v, want ErrTokenInvalid", payload, got, err)
		}
	}
}
