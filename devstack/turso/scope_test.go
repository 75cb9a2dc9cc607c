package turso

import (
	"strings"
	"testing"
)

// TestScopes checks what each scope allows, and that it allows nothing else.
func TestScopes(t *testing.T) {
	const org = "/v1/organizations/acme"
	calls := []struct{ scope, request, body string }{
		{scopeAny, "GET /v1/auth/validate", ""},
		{scopeAny, "GET /v2/organizations", ""},
		{scopeAny, "GET /v1/plans", ""},
		{scopeRead, "GET " + org + "/databases", ""},
		{scopeRead, "GET " + org + "/databases/app/usage", ""},
		{scopeRead, "GET " + org + "/groups", ""},
		{scopeRead, "GET " + org + "/usage", ""},
		{scopeRead, "GET /v2/organizations/acme/jwks", ""},
		{scopeRead, "GET /v2/organizations/acme/jwks-template", `{"database":"app"}`},
		{"db:create", "POST " + org + "/databases", `{"name":"new"}`},
		{"db:delete", "DELETE " + org + "/databases/old", ""},
		{"db:configure", "PATCH " + org + "/databases/app/configuration", `{"block_writes":false}`},
		{"db:mint-token", "POST " + org + "/databases/app/auth/tokens", "{}"},
		{"db:rotate-creds", "POST " + org + "/databases/app/auth/rotate", ""},
		{"group:configure", "POST " + org + "/groups", `{"name":"second"}`},
		{"group:mint-token", "POST " + org + "/groups/default/auth/tokens", "{}"},
		{"group:rotate-creds", "POST " + org + "/groups/default/auth/rotate", ""},
		{scopeFull, "PUT /v2/organizations/acme/jwks/clerk", `{"jwks_url":"https://clerk.test/jwks"}`},
		{scopeFull, "DELETE /v2/organizations/acme/jwks/clerk", ""},
		{scopeFull, "POST /v2/auth/api-tokens/ci", ""},
		{scopeFull, "GET /v1/auth/api-tokens", ""},
	}
	grants := map[string][]string{"read-only": {scopeRead}, scopeFull: append(scopes, scopeFull)}
	for _, s := range scopes {
		grants[s] = []string{s}
	}
	for granted, allows := range grants {
		t.Run(granted, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, Options{})
			_, err := f.CreateDatabase("acme", "old")
			must(t, err)
			token, err := f.CreateAPIToken("alice", APIToken{Name: "scoped", Scopes: []string{granted}})
			must(t, err)
			for _, c := range calls {
				method, path, _ := strings.Cut(c.request, " ")
				want := 401
				if c.scope == scopeAny || strings.Contains(strings.Join(allows, " ")+" ", c.scope+" ") {
					want = 200
				}
				f.call(granted, method, path, token, c.body, want, "")
			}
		})
	}
	f := newFixture(t, Options{})
	f.call("unknown scope", "POST", "/v2/auth/api-tokens/x", f.alice, `{"scopes":["db:fly"]}`, 400, `{"error":"invalid scope: db:fly"}`)
}

// A token limited to one group sees no other.
func TestGroupTokens(t *testing.T) {
	f := newFixture(t, Options{})
	const org = "/v1/organizations/acme"
	f.call("create", "POST", org+"/groups", f.alice, `{"Name":"second","Location":"local"}`, 200, "")
	f.call("create again", "POST", org+"/groups", f.alice, `{"name":"second"}`, 409, "")
	f.call("bad name", "POST", org+"/groups", f.alice, `{"name":"/"}`, 400, "")
	f.call("database in it", "POST", org+"/databases", f.alice, `{"name":"inside","group":"second"}`, 200, "")
	f.call("token of no organization", "POST", "/v2/auth/api-tokens/x", f.alice, `{"group":"second"}`, 400, "")
	f.call("token of no group", "POST", "/v2/auth/api-tokens/x", f.alice, `{"organization":"acme","group":"third"}`, 404, "")
	made := f.call("token", "POST", "/v2/auth/api-tokens/x", f.alice, `{"organization":"acme","group":"second"}`, 200, "")
	token := made["token"].(map[string]any)["value"].(string)

	list := f.call("databases", "GET", org+"/databases", token, "", 200, "")["databases"].([]any)
	if len(list) != 1 || list[0].(map[string]any)["Name"] != "inside" {
		t.Errorf("sees %v", list)
	}
	if groups := f.call("groups", "GET", org+"/groups", token, "", 200, "")["groups"].([]any); len(groups) != 1 {
		t.Errorf("sees %v", groups)
	}
	f.call("mint inside", "POST", org+"/databases/inside/auth/tokens", token, "", 200, "")
	f.call("create inside", "POST", org+"/databases", token, `{"name":"another"}`, 200, "")
	if db := f.state.Organizations["acme"].Databases["another"]; db.Group != "second" {
		t.Errorf("created in %s", db.Group)
	}
	for _, request := range []string{
		"POST " + org + "/databases/app/auth/tokens", "POST " + org + "/databases/app/auth/rotate", "DELETE " + org + "/databases/app",
		"GET " + org + "/databases/app", "POST " + org + "/groups/default/auth/tokens", "DELETE " + org + "/groups/default",
		"POST " + org + "/groups",
	} {
		method, path, _ := strings.Cut(request, " ")
		f.call("outside", method, path, token, `{"name":"third"}`, 404, "")
	}
	f.call("create outside", "POST", org+"/databases", token, `{"name":"x","group":"default"}`, 404, "")
	f.call("template outside", "GET", "/v2/organizations/acme/jwks-template", token, `{"group":"default"}`, 404, "")

	f.call("protect", "PATCH", org+"/databases/inside/configuration", token, `{"delete_protection":true}`, 200, "")
	f.call("destroy protected", "DELETE", org+"/databases/inside", token, "", 400, "")
	f.call("destroy its group", "DELETE", org+"/groups/second", token, "", 400, "")
	f.call("unprotect", "PATCH", org+"/databases/inside/configuration", token, `{"delete_protection":false,"allowed_ips":[],"allowed_aws_vpc_ids":[]}`, 200, "")
	f.call("destroy the group", "DELETE", org+"/groups/second", token, "", 200, "")
	if n := len(f.Databases("acme")); n != 1 {
		t.Errorf("%d databases left", n)
	}
}

func TestConfiguration(t *testing.T) {
	f := newFixture(t, Options{})
	const path = "/v1/organizations/acme/databases/app/configuration"
	tok, err := f.CreateDatabaseToken("acme", "app", TokenOptions{})
	must(t, err)
	f.call("default", "GET", path, f.alice, "", 200, `{"size_limit":"0","allow_attach":false,"block_reads":false,"block_writes":false,"delete_protection":false,"allowed_ips":[],"allowed_aws_vpc_ids":[]}`)
	f.call("block writes", "PATCH", path, f.alice, `{"block_writes":true}`, 200, "")
	f.call("allow attach", "PATCH", path, f.alice, `{"allow_attach":true}`, 200, `{"size_limit":"0","allow_attach":true,"block_reads":false,"block_writes":true,"delete_protection":false,"allowed_ips":[],"allowed_aws_vpc_ids":[]}`)
	if _, body := f.do("POST", "/dbs/app/v2/pipeline", tok, execInsert); !strings.Contains(body, "writes are blocked") {
		t.Errorf("write: %s", body)
	}
	f.accepted("read", "app", tok)
}
