package turso

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

// Parameters that the real service supports and the stand-in lacks are refused, and
// nothing is created.
func TestLackingParameters(t *testing.T) {
	f := newFixture(t, Options{})
	const org = "/v1/organizations/acme"
	for _, tt := range []struct{ method, path, body string }{
		{"POST", "/databases", `{"name":"x","group":"default","schema":"app"}`},
		{"POST", "/databases", `{"name":"x","group":"default","is_schema":true}`},
		{"POST", "/databases", `{"name":"x","group":"default","size_limit":"1mb"}`},
		{"POST", "/databases", `{"name":"x","group":"default","use_tursodb":true}`},
		{"POST", "/databases", `{"name":"x","group":"default","remote_encryption":{"encryption_key":"eA=="}}`},
		{"POST", "/databases", `{"name":"x","group":"default","location":"fra"}`},
		{"POST", "/databases", `{"name":"x","group":"default","seed":{"type":"database","name":"app","timestamp":"2024-01-01T00:00:00Z"}}`},
		{"POST", "/databases", `{"name":"x","group":"default","seed":{"type":"dump","url":"http://127.0.0.1:1/x.sql"}}`},
		{"POST", "/databases", `{"name":"x","group":"default","seed":{"type":"database_upload"}}`},
		{"PATCH", "/databases/app/configuration", `{"size_limit":"1mb"}`},
		{"PATCH", "/databases/app/configuration", `{"allowed_ips":["10.0.0.0/8"]}`},
		{"GET", "/databases/app/usage?from=2024-01-01T00:00:00Z", ""},
		{"POST", "/databases/app/transfer", `{"org":"other"}`},
		{"POST", "/groups", `{"name":"x","location":"fra"}`},
		{"POST", "/groups", `{"name":"x","location":"local","extensions":"all"}`},
		{"POST", "/groups/default/transfer", `{"organization":"other"}`},
		{"PATCH", "", `{"require_mfa":true}`},
		{"GET", "/billing/customer", ""},
	} {
		status, body := f.do(tt.method, org+tt.path, f.alice, tt.body)
		if status != 501 || !strings.Contains(body, "the local stack lacks ") {
			t.Errorf("%s %s %s: answer %d %s", tt.method, tt.path, tt.body, status, body)
		}
	}
	f.call("none was made", "GET", org+"/databases/x", f.alice, "", 404, "")
	f.call("none was made", "GET", org+"/groups/x", f.alice, "", 404, "")
	// Empty values are accepted, and undocumented members are ignored.
	f.call("empty", "POST", org+"/databases", f.alice, `{"name":"y","group":"default","schema":"","is_schema":false,"size_limit":"","frobnicate":1}`, 200, "")
}

func TestSeeds(t *testing.T) {
	f := newFixture(t, Options{})
	const databases = "/v1/organizations/acme/databases"
	token, err := f.CreateDatabaseToken("acme", "app", TokenOptions{})
	must(t, err)
	f.do("POST", "/dbs/app/v2/pipeline", token, `{"requests":[{"type":"sequence","sql":"CREATE TABLE t (a); INSERT INTO t VALUES ('seeded')"},{"type":"close"}]}`)
	has := func(name, sql, want string) {
		t.Helper()
		token, err := f.CreateDatabaseToken("acme", name, TokenOptions{})
		must(t, err)
		if _, body := f.do("POST", "/dbs/"+name+"/v2/pipeline", token, `{"requests":[{"type":"execute","stmt":{"sql":"`+sql+`"}}]}`); !strings.Contains(body, want) {
			t.Errorf("%s: do = %s", name, body)
		}
	}
	f.call("branch", "POST", databases, f.alice, `{"name":"branch","group":"default","seed":{"type":"database","value":"app"}}`, 200, "")
	has("branch", "SELECT a FROM t", `"seeded"`)
	branch := f.call("show", "GET", databases+"/branch", f.alice, "", 200, "")["database"].(map[string]any)
	if parent, _ := branch["parent"].(map[string]any); parent["DbId"] != f.app.ID {
		t.Errorf("parent %v", branch["parent"])
	}
	if list := f.call("branches", "GET", databases+"?parent="+f.app.ID, f.alice, "", 200, "")["databases"].([]any); len(list) != 1 {
		t.Errorf("branches %v", list)
	}
	f.call("no source", "POST", databases, f.alice, `{"name":"none","group":"default","seed":{"type":"database","value":"nope"}}`, 404, `{"error":"could not find database with name [nope]: record not found"}`)
	f.call("nothing was made", "GET", databases+"/none", f.alice, "", 404, "")

	upload := func(dump string) string {
		t.Helper()
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		part, err := w.CreateFormFile("file", "dump.sql")
		must(t, err)
		part.Write([]byte(dump))
		must(t, w.Close())
		req, err := http.NewRequestWithContext(t.Context(), "POST", f.url+databases+"/dumps", &form)
		must(t, err)
		req.Header.Set("Content-Type", w.FormDataContentType())
		req.Header.Set("Authorization", "Bearer "+f.alice)
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		defer resp.Body.Close()
		var b bytes.Buffer
		b.ReadFrom(resp.Body)
		_, rest, ok := strings.Cut(b.String(), `"dump_url":"`)
		if !ok {
			t.Fatal(b.String())
		}
		url, _, _ := strings.Cut(rest, `"`)
		return url
	}
	url := upload("BEGIN TRANSACTION; CREATE TABLE d (a); INSERT INTO d VALUES ('dumped'); COMMIT;" + strings.Repeat(" ", 2<<20))
	f.call("dump", "POST", databases, f.alice, `{"name":"dumped","group":"default","seed":{"type":"dump","url":"`+url+`"}}`, 200, "")
	has("dumped", "SELECT a FROM d", `"dumped"`)
	url = upload("BEGIN TRANSACTION; INSERT INTO nope VALUES (1); COMMIT;")
	f.call("bad dump", "POST", databases, f.alice, `{"name":"broken","group":"default","seed":{"type":"dump","url":"`+url+`"}}`, 400, `{"error":"The passed dump sql is invalid: no such table: nope"}`)
	f.call("nothing was made", "GET", databases+"/broken", f.alice, "", 404, "")
}

func TestMembersAndInvites(t *testing.T) {
	f := newFixture(t, Options{})
	const org = "/v1/organizations/acme"
	f.call("add", "POST", org+"/members", f.alice, `{"username":"bob","role":"viewer"}`, 200, "")
	f.call("add twice", "POST", org+"/members", f.alice, `{"username":"bob"}`, 409, `{"error":"user bob is already a member of organization acme"}`)
	f.call("add nobody", "POST", org+"/members", f.alice, `{"username":"nobody"}`, 404, `{"error":"could not find user nobody"}`)
	f.call("a viewer adds", "POST", org+"/members", f.bob, `{"username":"carol"}`, 403, `{"error":"only organization admins or owners may do that"}`)
	f.call("odd role", "PATCH", org+"/members/bob", f.alice, `{"role":"king"}`, 400, `{"error":"invalid role: king"}`)
	f.call("promote", "PATCH", org+"/members/bob", f.alice, `{"role":"admin"}`, 200, "")
	f.call("the owner stays", "DELETE", org+"/members/alice", f.bob, "", 403, `{"error":"the owner can't be removed"}`)
	f.call("leave", "DELETE", org+"/members/bob", f.bob, "", 200, "")
	f.call("no member", "GET", org+"/databases", f.bob, "", 403, `{"error":"user is not a member of the organization"}`)
	f.call("invite", "POST", "/v2/organizations/acme/invites", f.alice, `{"email":"carol@acme.test"}`, 200, "")
	f.call("invite again", "POST", org+"/invite", f.alice, `{"email":"carol@acme.test","role":"admin"}`, 200, "")
	if list := f.call("invites", "GET", org+"/invites", f.alice, "", 200, "")["invites"].([]any); len(list) != 1 || list[0].(map[string]any)["role"] != "admin" {
		t.Errorf("invites %v", list)
	}
	f.call("withdraw", "DELETE", org+"/invites/carol@acme.test", f.alice, "", 200, "")
	f.call("withdraw again", "DELETE", org+"/invites/carol@acme.test", f.alice, "", 404, `{"error":"could not find invite for carol@acme.test"}`)
	log := f.call("audit", "GET", org+"/audit-logs?page_size=2", f.alice, "", 200, "")
	if entries := log["audit_logs"].([]any); len(entries) != 2 || entries[0].(map[string]any)["code"] != "org-member-leave" {
		t.Errorf("audit log %v", log)
	}
}

func TestOrganizations(t *testing.T) {
	f := newFixture(t, Options{})
	f.call("dry run", "POST", "/v1/organizations?dry_run=true", f.alice, `{"name":"Another One"}`, 200, "")
	f.call("not made", "GET", "/v1/organizations/another-one", f.alice, "", 404, `{"error":"organization not found"}`)
	f.call("create", "POST", "/v1/organizations?dry_run=false", f.alice, `{"name":"Another One"}`, 200, "")
	f.call("twice", "POST", "/v1/organizations", f.alice, `{"name":"another one"}`, 409, `{"error":"organization name already exists"}`)
	f.call("delete", "DELETE", "/v1/organizations/another-one", f.alice, "", 200, "")
	// Every user has a personal organization, which paths don't name.
	f.call("databases of the personal one", "GET", "/v1/databases", f.alice, "", 200, "")
	if org := f.call("it", "GET", "/v1/organizations/alice", f.alice, "", 200, "")["organization"].(map[string]any); org["type"] != "personal" {
		t.Errorf("personal organization %v", org)
	}
	bound, err := f.CreateAPIToken("alice", APIToken{Name: "bound", Organization: "acme"})
	must(t, err)
	f.call("mint with a bound token", "POST", "/v2/auth/api-tokens/more", bound, `{"organization":"acme"}`, 501, `{"error":"the local stack lacks what a token that is bound to an organization may mint"}`)
	if got := f.call("version 1", "POST", "/v1/auth/api-tokens/one", f.alice, `{"organization":"acme"}`, 200, ""); got["name"] != "one" || got["token"] == "" {
		t.Errorf("version 1 answers %v", got)
	}

	req, err := http.NewRequest("POST", f.url+"/v1/organizations", nil)
	must(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer x")
	if Match(req) {
		t.Error("a form is Clerk's, which its clients send")
	}
	req.Header.Set("Content-Type", "application/json")
	if !Match(req) {
		t.Error("JSON with a bearer token is Turso's")
	}
}

func TestGroupSettings(t *testing.T) {
	f := newFixture(t, Options{})
	const groups = "/v1/organizations/acme/groups/"
	token := f.call("token", "POST", groups+"default/auth/tokens", f.alice, "", 200, "")["jwt"].(string)
	f.call("rename", "POST", groups+"default/rename", f.alice, `{"Name":"first"}`, 200, "")
	if status, body := f.query("app", token); status != 200 {
		t.Errorf("the group's tokens are still good: %d %s", status, body)
	}
	f.call("protect", "PATCH", groups+"first/configuration", f.alice, `{"delete_protection":true}`, 200, "")
	f.call("delete", "DELETE", groups+"first", f.alice, "", 400, `{"error":"group is protected from being deleted"}`)
	f.call("delete a database", "DELETE", "/v1/organizations/acme/databases/app", f.alice, "", 400, `{"error":"database is protected from being deleted"}`)
	f.call("remove the only location", "DELETE", groups+"first/locations/local", f.alice, "", 400, `{"error":"the primary location can't be removed"}`)
	f.call("add the only location", "POST", groups+"first/locations/local", f.alice, "", 200, "")
	f.call("add another", "POST", groups+"first/locations/fra", f.alice, "", 501, "")
}
