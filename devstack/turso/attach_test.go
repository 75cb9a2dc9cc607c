package turso

import (
	"crypto"
	"fmt"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/fault"
)

func TestAttach(t *testing.T) {
	f := newFixture(t, Options{})
	iss := newIssuer(t, map[string]crypto.Signer{"k": rsaKeys()[0]})
	must(t, f.RegisterJWKS("acme", "clerk", iss.url))
	second, err := f.CreateDatabase("acme", "second")
	must(t, err)
	full, err := f.CreateDatabaseToken("acme", "second", TokenOptions{})
	must(t, err)
	f.do("POST", "/dbs/second/v2/pipeline", full, `{"requests":[{"type":"sequence","sql":"CREATE TABLE t AS SELECT 42 AS a"}]}`)
	f.call("allow", "PATCH", "/v1/organizations/acme/databases/second/configuration", f.alice, `{"allow_attach":true}`, 200, "")

	mint := func(body string) string {
		return f.call("mint", "POST", "/v1/organizations/acme/databases/app/auth/tokens", f.alice, body, 200, "")["jwt"].(string)
	}
	policy := func(p string) string {
		scopes := map[string]any{"rw": map[string]any{"ns": []string{"app"}}}
		if p != "" {
			scopes[p] = map[string]any{"ns": []string{"second", "theirs"}}
		}
		return signWith(t, rsaKeys()[0], "k", f.claims(map[string]any{"id": nil, "rid": nil, "a": nil, "p": scopes}))
	}
	attach := func(token, name string) (int, string) {
		status, body := f.do("POST", "/dbs/app/v2/pipeline", token, fmt.Sprintf(
			`{"requests":[{"type":"execute","stmt":{"sql":"ATTACH \"%s\" AS x"}},{"type":"execute","stmt":{"sql":"SELECT a FROM x.t"}},{"type":"close"}]}`, name))
		return status, strings.ReplaceAll(body, `\"`, `"`)
	}
	const notAllowed = "Authorization forbidden: Current session doesn't not have AttachRead permission to namespace "
	for name, tt := range map[string]struct{ token, attach, want string }{
		"read_attach, by id":               {mint(`{"permissions":{"read_attach":{"databases":["second"]}}}`), second.ID, `"value":"42"`},
		"read_attach, by name":             {mint(`{"permissions":{"read_attach":{"databases":["second"]}}}`), "second", `"value":"42"`},
		"the policy roa":                   {policy("roa"), "second", `"value":"42"`},
		"the policy rwa":                   {policy("rwa"), "second", `"value":"42"`},
		"ro is not enough":                 {policy("ro"), "second", notAllowed + "second"},
		"rw is not enough":                 {policy(""), "second", notAllowed + "second"},
		"another organization":             {policy("roa"), "theirs", notAllowed + "theirs"},
		"no such database":                 {policy("roa"), "nine", notAllowed + "nine"},
		"plain token":                      {mint("{}"), "second", "SQL string could not be parsed: unsupported statement"},
		"a database that allows no attach": {mint(`{"permissions":{"read_attach":{"databases":["app"]}}}`), "app", "Authorization forbidden: Namespace `app` doesn't allow attach"},
	} {
		if _, body := attach(tt.token, tt.attach); !strings.Contains(body, tt.want) {
			t.Errorf("%s: attach = %s, want %s", name, body, tt.want)
		}
	}
	// libsql-server on its own.
	must(t, f.faults.Switch(fault.PlainSqld, true))
	own := func(c jwt.MapClaims) string { return sign(f.state.DatabaseKey, c) }
	for access, want := range map[string]string{"roa": `"value":"42"`, "rw": "unsupported statement", "ro": "unsupported statement"} {
		if _, body := attach(own(jwt.MapClaims{"a": access}), "second"); !strings.Contains(body, want) {
			t.Errorf("sqld, %s: %s, want %s", access, body, want)
		}
	}
}
