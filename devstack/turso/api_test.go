package turso

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (f *fixture) call(what, method, path, token, body string, wantStatus int, want string) map[string]any {
	f.t.Helper()
	status, got := f.do(method, path, token, body)
	if status != wantStatus || want != "" && got != want {
		f.t.Errorf("%s: %s %s: %d %s, want %d %s", what, method, path, status, got, wantStatus, want)
	}
	var v map[string]any
	if strings.HasPrefix(got, "{") {
		must(f.t, json.Unmarshal([]byte(got), &v))
	}
	return v
}

func TestAccounts(t *testing.T) {
	f := newFixture(t, Options{})
	f.call("no token", "GET", "/v1/auth/validate", "", "", 401, `{"error":"invalid api token"}`)
	f.call("bad token", "GET", "/v1/auth/validate", "x.y.z", "", 401, `{"error":"invalid api token"}`)
	f.call("validate", "GET", "/v1/auth/validate", f.alice, "", 200, `{"exp":-1}`)
	dbToken, err := f.CreateDatabaseToken("acme", "app", TokenOptions{})
	must(t, err)
	f.call("database token", "GET", "/v1/auth/validate", dbToken, "", 401, `{"error":"could not parse jwt id"}`)
	user := f.call("user", "GET", "/v1/current-user", f.alice, "", 200, "")["user"].(map[string]any)
	if user["username"] != "alice" || user["plan"] != "starter" {
		t.Errorf("user %v", user)
	}
	orgs := f.call("organizations", "GET", "/v2/organizations", f.alice, "", 200, "")["organizations"].([]any)
	if len(orgs) != 1 || orgs[0].(map[string]any)["slug"] != "acme" || orgs[0].(map[string]any)["type"] != "team" {
		t.Errorf("organizations %v", orgs)
	}
	if _, body := f.do("GET", "/v1/organizations", f.alice, ""); !strings.HasPrefix(body, "[{") {
		t.Errorf("/v1/organizations is no bare array: %s", body)
	}
	f.call("unknown path", "GET", "/v1/nothing", f.alice, "", 404, `{"error":"not found"}`)

	short, err := f.CreateAPIToken("alice", APIToken{Name: "short", Lifetime: time.Minute})
	must(t, err)
	f.call("short", "GET", "/v1/current-user", short, "", 200, "")
	f.clock.Advance(2 * time.Minute)
	f.call("expired", "GET", "/v1/current-user", short, "", 401, `{"error":"invalid api token"}`)
}

func TestAPITokens(t *testing.T) {
	f := newFixture(t, Options{})
	made := f.call("mint", "POST", "/v2/auth/api-tokens/ci", f.alice, `{"organization":"acme","group":"default","scopes":["read","db:mint-token"]}`, 200, "")
	token := made["token"].(map[string]any)["value"].(string)
	f.call("use", "GET", "/v1/organizations/acme/databases", token, "", 200, "")
	list := f.call("list", "GET", "/v1/auth/api-tokens", f.alice, "", 200, "")["tokens"].([]any)
	if len(list) != 2 || list[0].(map[string]any)["name"] != "ci" || list[0].(map[string]any)["created_at"] == "" {
		t.Errorf("tokens %v", list)
	}
	f.call("mint again", "POST", "/v2/auth/api-tokens/ci", f.alice, "", 409, "")
	f.call("mint for another organization", "POST", "/v2/auth/api-tokens/x", f.alice, `{"organization":"other"}`, 403, "")
	f.call("widen itself", "POST", "/v2/auth/api-tokens/x", token, "", 401, `{"error":"api token does not have full access"}`)
	f.call("revoke", "DELETE", "/v1/auth/api-tokens/ci", f.alice, "", 200, "")
	f.call("use after it was revoked", "GET", "/v1/organizations/acme/databases", token, "", 401, `{"error":"invalid api token"}`)
	f.call("revoke again", "DELETE", "/v1/auth/api-tokens/ci", f.alice, "", 404, "")
}

// Two users of two organizations see nothing of each other.
func TestOrganizationsAreApart(t *testing.T) {
	f := newFixture(t, Options{})
	paths := []string{"/databases", "/databases/theirs", "/groups", "/usage", "/subscription"}
	for _, p := range paths {
		f.call("stranger", "GET", "/v1/organizations/other"+p, f.alice, "", 403, "")
		f.call("member", "GET", "/v1/organizations/other"+p, f.bob, "", 200, "")
	}
	f.call("mint", "POST", "/v1/organizations/other/databases/theirs/auth/tokens", f.alice, "{}", 403, "")
	f.call("mint through one's own", "POST", "/v1/organizations/acme/databases/theirs/auth/tokens", f.alice, "{}", 404,
		`{"error":"could not find database with name [theirs]: record not found"}`)
	f.call("rotate", "POST", "/v1/organizations/other/databases/theirs/auth/rotate", f.alice, "", 403, "")
	f.call("jwks", "PUT", "/v2/organizations/other/jwks/x", f.alice, `{"jwks_url":"http://127.0.0.1:1/"}`, 403, "")
	f.call("unknown organization", "GET", "/v1/organizations/nine/databases", f.alice, "", 404, `{"error":"organization not found"}`)
	// A name may be taken by both.
	db, err := f.CreateDatabase("other", "app")
	must(t, err)
	if db.Path == f.app.Path || db.ID == f.app.ID {
		t.Errorf("two databases at %s", db.Path)
	}
	tok, err := f.CreateDatabaseToken("other", "app", TokenOptions{})
	must(t, err)
	f.accepted("own app", strings.TrimPrefix(db.Path, "/dbs/"), tok)
	f.refused("the other's app", "app", tok, 401, textNotAllowed)
}

func TestDatabases(t *testing.T) {
	f := newFixture(t, Options{})
	list := f.call("list", "GET", "/v1/organizations/acme/databases?limit=1000", f.alice, "", 200, "")
	host := strings.TrimPrefix(f.url, "http://")
	want := map[string]any{
		"databases": []any{map[string]any{
			"Name": "app", "DbId": f.app.ID, "Hostname": host + "/dbs/app", "block_reads": false, "block_writes": false,
			"regions": []any{"local"}, "primaryRegion": "local", "group": "default", "delete_protection": false, "parent": nil, "allow_attach": false,
		}},
		"pagination": map[string]any{"next": nil},
	}
	if d := cmp.Diff(want, list); d != "" {
		t.Errorf("list: -want +got\n%s", d)
	}
	f.call("create", "POST", "/v1/organizations/acme/databases", f.alice, `{"name":"second","group":"default"}`, 200, "")
	f.call("create again", "POST", "/v1/organizations/acme/databases", f.alice, `{"name":"second"}`, 409, `{"error":"database with name [second] already exists"}`)
	f.call("bad name", "POST", "/v1/organizations/acme/databases", f.alice, `{"name":"../x"}`, 400, "")
	f.call("bad group", "POST", "/v1/organizations/acme/databases", f.alice, `{"name":"x","group":"nope"}`, 404, `{"error":"group not found"}`)
	f.call("bad body", "POST", "/v1/organizations/acme/databases", f.alice, `{`, 400, `{"error":"invalid request body"}`)
	page := f.call("first page", "GET", "/v1/organizations/acme/databases?limit=1", f.alice, "", 200, "")
	if next := page["pagination"].(map[string]any)["next"]; next != "app" {
		t.Errorf("next page after %v", next)
	}
	page = f.call("second page", "GET", "/v1/organizations/acme/databases?limit=1&cursor=app", f.alice, "", 200, "")
	if dbs := page["databases"].([]any); len(dbs) != 1 || dbs[0].(map[string]any)["Name"] != "second" {
		t.Errorf("second page %v", page)
	}

	tok, err := f.CreateDatabaseToken("acme", "second", TokenOptions{})
	must(t, err)
	f.do("POST", "/dbs/second/v2/pipeline", tok, `{"requests":[{"type":"execute","stmt":{"sql":"CREATE TABLE t (a)"}},{"type":"execute","stmt":{"sql":"INSERT INTO t VALUES (1),(2)"}},{"type":"execute","stmt":{"sql":"BEGIN IMMEDIATE"}}]}`)
	usage := f.call("usage", "GET", "/v1/organizations/acme/usage", f.alice, "", 200, "")["organization"].(map[string]any)["usage"].(map[string]any)
	if usage["rows_written"] != 4.0 || usage["databases"] != 2.0 || usage["storage_bytes"].(float64) < 4096 {
		t.Errorf("usage %v", usage)
	}
	// It is destroyed although a stream has a transaction in it.
	f.call("destroy", "DELETE", "/v1/organizations/acme/databases/second", f.alice, "", 200, "")
	f.call("destroy again", "DELETE", "/v1/organizations/acme/databases/second", f.alice, "", 404, "")
	if status, _ := f.query("second", tok); status != 404 {
		t.Errorf("destroyed database answers %d", status)
	}
	// One of the same name is another database (tursodatabase/turso-cli#670).
	_, err = f.CreateDatabase("acme", "second")
	must(t, err)
	f.refused("token of the destroyed one", "second", tok, 401, textNotAllowed)
}

func TestMintedTokens(t *testing.T) {
	f := newFixture(t, Options{})
	mint := func(query, body string, status int) claims {
		t.Helper()
		got := f.call("mint", "POST", "/v1/organizations/acme/databases/app/auth/tokens"+query, f.alice, body, status, "")
		if status != 200 {
			return claims{}
		}
		tok, err := parseToken(got["jwt"].(string))
		must(t, err)
		if tok.alg != "EdDSA" {
			t.Errorf("signed with %s", tok.alg)
		}
		return tok.claims
	}
	if c := mint("", "", 200); c.Access != "rw" || c.ID != f.app.ID || c.Role == "" || c.Expires != 0 || c.IssuedAt == 0 {
		t.Errorf("default: %+v", c)
	}
	if c := mint("?expiration=3d&authorization=read-only", "{}", 200); c.Access != "ro" || c.Expires-c.IssuedAt != 3*86400 {
		t.Errorf("3 days, read-only: %+v", c)
	}
	if c := mint("?expiration=2w1d30m", `{"fine_grained_permissions":[{"t":null,"a":["data_read"]}]}`, 200); c.Expires-c.IssuedAt != 15*86400+1800 || len(c.Permissions) != 1 || c.Permissions[0].Tables != nil {
		t.Errorf("2w1d30m with permissions: %+v", c)
	}
	if c := mint("", `{"permissions":{"read_attach":{"databases":["app"]}}}`, 200); c.Policy == nil || c.ID != "" {
		t.Errorf("read_attach: %+v", c)
	}
	for _, bad := range []string{"?expiration=soon", "?expiration=1", "?expiration=-1d", "?expiration=0d", "?expiration=99999999999d", "?authorization=root"} {
		mint(bad, "{}", 400)
	}
	f.call("bad expiration", "POST", "/v1/organizations/acme/databases/app/auth/tokens?expiration=x", f.alice, "", 400, `{"error":"Invalid expiration format"}`)
}

func TestJWKSEndpoints(t *testing.T) {
	f := newFixture(t, Options{})
	const path = "/v2/organizations/acme/jwks"
	f.call("none", "GET", path, f.alice, "", 200, `{"jwks":[]}`)
	f.call("save", "PUT", path+"/clerk", f.alice, `{"jwks_url":"https://clerk.test/.well-known/jwks.json","region":""}`, 200, "")
	f.call("save with a space", "PUT", path+"/Zedi%20Clerk", f.alice, `{"jwks_url":"https://zedi.test/jwks.json"}`, 200, "")
	f.call("one too many", "PUT", path+"/third", f.alice, `{"jwks_url":"https://third.test/jwks.json"}`, 400, `{"error":"jwks count limit(2) exceeded"}`)
	f.call("replace", "PUT", path+"/clerk", f.alice, `{"jwks_url":"https://new.test/jwks.json"}`, 200, "")
	f.call("no URL", "PUT", path+"/clerk", f.alice, `{"jwks_url":"clerk.test"}`, 400, `{"error":"invalid jwks url"}`)
	f.call("list", "GET", path, f.alice, "", 200, `{"jwks":[{"jwks_name":"Zedi Clerk","jwks_url":"https://zedi.test/jwks.json"},{"jwks_name":"clerk","jwks_url":"https://new.test/jwks.json"}]}`)
	f.call("remove", "DELETE", path+"/Zedi%20Clerk", f.alice, `{"region":""}`, 200, "")
	f.call("remove again", "DELETE", path+"/Zedi%20Clerk", f.alice, `{"region":""}`, 404, "")
	f.call("save for a region", "PUT", path+"/clerk", f.alice, `{"jwks_url":"https://new.test/jwks.json","region":"aws-ap-northeast-1"}`, 200, "")
	f.call("list regions", "GET", path, f.alice, "", 200, `{"jwks":[{"jwks_name":"clerk","jwks_url":"https://new.test/jwks.json","region":"aws-ap-northeast-1"}]}`)
	f.call("remove from no region", "DELETE", path+"/clerk", f.alice, `{"region":""}`, 404, "")
	f.call("save for none again", "PUT", path+"/clerk", f.alice, `{"jwks_url":"https://new.test/jwks.json","region":""}`, 200, "")
	f.call("list none", "GET", path, f.alice, "", 200, `{"jwks":[{"jwks_name":"clerk","jwks_url":"https://new.test/jwks.json"}]}`)

	db := f.state.Organizations["acme"].Databases["app"]
	g := f.state.Organizations["acme"].Groups["default"]
	for body, want := range map[string]string{
		`{"database":"app","group":null,"scope":"full-access","permissions":[]}`:                                 `{"a":"rw","id":"` + db.ID + `","perm":[],"rid":"` + db.Role + `"}`,
		`{"database":"app","scope":"read-only","permissions":[{"t":["words"],"a":["data_read","data_add"]}]}`:    `{"a":"ro","id":"` + db.ID + `","perm":[{"t":["words"],"a":["data_read","data_add"]}],"rid":"` + db.Role + `"}`,
		`{"database":null,"group":"default","scope":"full-access","permissions":[{"t":null,"a":["data_read"]}]}`: `{"a":"rw","gid":"` + g.ID + `","perm":[{"t":null,"a":["data_read"]}],"rid":"` + g.Role + `"}`,
		``: `{"a":"rw","perm":[]}`,
	} {
		f.call("template", "GET", path+"-template", f.alice, body, 200, `{"template":`+want+`}`)
	}
	f.call("template of no database", "GET", path+"-template", f.alice, `{"database":"nope"}`, 404, "")
}

func TestDoubleSlashes(t *testing.T) {
	f := newFixture(t, Options{})
	tok, err := f.CreateDatabaseToken("acme", "app", TokenOptions{})
	must(t, err)
	if status, body := f.do("POST", "/dbs/app//v2///pipeline", tok, select1); status != 200 {
		t.Errorf("answer %d %s", status, body)
	}
	if status, _ := f.do("PUT", "/v2//organizations/acme/jwks/a%20b", f.alice, `{"jwks_url":"https://a.test/"}`); status != 200 {
		t.Errorf("escaped name: %d", status)
	}
	if f.state.Organizations["acme"].JWKS["a b"] == "" {
		t.Error("name was not unescaped")
	}
}

func TestMatch(t *testing.T) {
	for target, want := range map[string]bool{
		"GET /dbs/app/v2":                      true,
		"GET /v1/auth/validate":                true,
		"GET /v1/organizations":                true,
		"POST /v1/organizations":               false, // Clerk's
		"GET /v1/organizations/acme/databases": true,
		"GET /v1/organizations/org_2/members":  false,
		"GET /v2/organizations/acme/jwks":      true,
		"POST /v2/auth/api-tokens/x":           true,
		"GET /v1/client":                       false,
		"GET /v1/me":                           false,
		"GET /v1/jwks":                         false,
		"GET /v1/environment":                  false,
		"GET /.well-known/jwks.json":           false,
		"POST /oauth/token":                    false,
		"GET /":                                false,
		"GET //v1//plans":                      true,
		"GET /info":                            true,
		"GET /export/1":                        true,
		"GET /information":                     false,
	} {
		method, path, _ := strings.Cut(target, " ")
		r := httptest.NewRequest(method, "http://x/", nil)
		r.URL.Path = path
		if got := Match(r); got != want {
			t.Errorf("%s: Match = %v", target, got)
		}
	}
	var _ http.Handler = (*Server)(nil)
}

func TestStateIsKept(t *testing.T) {
	dir := t.TempDir()
	s, err := New(Options{Dir: dir})
	must(t, err)
	must(t, s.CreateUser("alice", ""))
	must(t, s.CreateOrganization(Organization{Slug: "acme", Members: []string{"alice"}}))
	_, err = s.CreateDatabase("acme", "app")
	must(t, err)
	api, err := s.CreateAPIToken("alice", APIToken{Name: "x"})
	must(t, err)
	tok, err := s.CreateDatabaseToken("acme", "app", TokenOptions{})
	must(t, err)
	post := func(s *Server, sql string) string {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/dbs/app/v2/pipeline", strings.NewReader(`{"requests":[{"type":"execute","stmt":{"sql":"`+sql+`"}}]}`))
		r.Header.Set("Authorization", "Bearer "+tok)
		s.ServeHTTP(w, r)
		return w.Body.String()
	}
	post(s, "CREATE TABLE t AS SELECT 42")
	must(t, s.Close())

	s, err = New(Options{Dir: dir})
	must(t, err)
	defer s.Close()
	if got := post(s, "SELECT * FROM t"); !strings.Contains(got, `"value":"42"`) {
		t.Errorf("after a restart: %s", got)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/v1/current-user", nil)
	r.Header.Set("Authorization", "Bearer "+api)
	if s.ServeHTTP(w, r); w.Code != 200 {
		t.Errorf("api token after a restart: %d %s", w.Code, w.Body)
	}
}
