package auth0_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack/auth0"
)

// manage makes a call of the Management API.
func (b *bench) manage(token, method, path, body string) reply {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+"/api/v2/"+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.read(resp)
}

func (b *bench) managementToken(scopes ...string) string {
	b.t.Helper()
	token, err := b.ManagementToken(scopes...)
	if err != nil {
		b.t.Fatal(err)
	}
	return token
}

func TestManagementRefuses(t *testing.T) {
	b := newBench(t)
	token := b.managementToken()
	tokens := b.tokens("scope", "openid")
	const action = `{"name":"a","code":"","supported_triggers":[{"id":"post-login","version":"v3"}]}`
	made := b.manage(token, http.MethodPost, "actions/actions", action)
	if made.status != http.StatusCreated || made.text("status") != "pending" {
		t.Fatalf("manage = %+v", made)
	}
	for _, test := range []struct {
		name, token, method, path, body string
		status                          int
		message                         string
	}{
		{"no token", "", "GET", "clients/x", "", 401, "Missing authentication"},
		{"another token", tokens.text("access_token"), "GET", "clients/x", "", 401, "Bad audience"},
		{"no JWT", "x", "GET", "clients/x", "", 401, "Invalid token"},
		{"scope", b.managementToken("read:clients"), "PATCH", "clients/x", "{}", 403, "Insufficient scope, expected any of: update:clients"},
		{"client", token, "GET", "clients/x", "", 404, "The client does not exist"},
		{"a property that is lacking", token, "PATCH", "clients/native", `{"app_type":"spa"}`, 400, "app_type"},
		{"a path that is lacking", token, "GET", "users", "", 501, "the local stack lacks GET /api/v2/users"},
		{"a grant that is there", token, "POST", "client-grants", `{"client_id":"machine","audience":"` + auth0.DefaultAudience + `","scope":[]}`, 409, "already exists"},
		{"a grant for no API", token, "POST", "client-grants", `{"client_id":"machine","audience":"x","scope":[]}`, 404, "Resource server not found"},
		{"a grant with no such scope", token, "POST", "client-grants", `{"client_id":"native","audience":"` + auth0.DefaultAudience + `","scope":["x"]}`, 400, "Scope not defined"},
		{"a second action of the name", token, "POST", "actions/actions", action, 409, "already exists"},
		{"an action of no trigger", token, "POST", "actions/actions", `{"name":"b"}`, 400, "supported_triggers"},
		{"an action with a dependency", token, "POST", "actions/actions", `{"name":"b","supported_triggers":[{"id":"post-login"}],"dependencies":[{"name":"axios"}]}`, 501, "neither dependencies nor secrets"},
		{"refresh tokens without an end", token, "PATCH", "clients/native", `{"refresh_token":{"rotation_type":"rotating","expiration_type":"non-expiring"}}`, 400, "refresh tokens expire"},
		{"refresh tokens that do what", token, "PATCH", "clients/native", `{"refresh_token":{"rotation_type":"x","expiration_type":"expiring","token_lifetime":60}}`, 400, "rotation_type"},
		{"no action", token, "GET", "actions/actions/x", "", 404, "does not exist"},
		{"not built", token, "POST", "actions/actions/" + made.text("id") + "/deploy", "", 400, "A draft must be in the 'built' state before it can be deployed."},
		{"not deployed", token, "PATCH", "actions/triggers/post-login/bindings", `{"bindings":[{"ref":{"type":"action_id","value":"` + made.text("id") + `"}}]}`, 404, "no deployed action"},
		{"no trigger", token, "GET", "actions/triggers/x/bindings", "", 404, "trigger does not exist"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := b.manage(test.token, test.method, test.path, test.body)
			if got.status != test.status || !strings.Contains(got.text("message"), test.message) || got.text("error") != http.StatusText(test.status) {
				t.Errorf("manage = %+v", got)
			}
		})
	}
	// The stand-in can't run arbitrary JavaScript, and says so.
	for _, want := range []string{"building", "failed"} {
		if got := b.manage(token, http.MethodGet, "actions/actions/"+made.text("id"), ""); got.text("status") != want {
			t.Errorf("manage = %+v", got)
		}
	}
}

// An application is shown with only the named fields, or without them.
func TestManagementFields(t *testing.T) {
	b := newBench(t)
	path := "clients/native"
	got := b.manage(b.managementToken(), http.MethodGet, path+"?fields=callbacks", "")
	if _, ok := got.body["callbacks"]; !ok || len(got.body) != 1 {
		t.Errorf("manage = %+v", got)
	}
	got = b.manage(b.managementToken(), http.MethodGet, path+"?fields=callbacks&include_fields=false", "")
	if _, ok := got.body["callbacks"]; ok || got.text("name") == "" {
		t.Errorf("manage = %+v", got)
	}
}

// A flow that was replaced by an empty one runs no Actions.
func TestManagementEmptiesFlow(t *testing.T) {
	b := newBench(t)
	claims := func() map[string]any { return b.claims(b.tokens().text("access_token")) }
	b.SetAction(auth0.Claims(map[string]any{"id": "database"}))
	if claims()["id"] != "database" {
		t.Fatal("the tenant's own Action doesn't run")
	}
	if got := b.manage(b.managementToken(), http.MethodPatch, "actions/triggers/post-login/bindings", `{"bindings":[]}`); got.status != http.StatusOK {
		t.Fatalf("manage = %+v", got)
	}
	if _, ok := claims()["id"]; ok {
		t.Error("an Action runs without being in a flow")
	}
}

// What the Auth0 CLI 1.27.2 sends for zen's script.
func TestManagementTakesTheCLI(t *testing.T) {
	b := newBench(t)
	token := b.managementToken()
	triggers, _ := b.manage(token, http.MethodGet, "actions/triggers", "").body["triggers"].([]any)
	if len(triggers) != 2 {
		t.Errorf("triggers %v", triggers)
	}
	if got := b.manage(token, http.MethodPatch, "clients/native", `{"name":"renamed","callbacks":["http://127.0.0.1:1/callback"],"grant_types":["refresh_token"]}`); got.status != http.StatusOK || got.text("name") != "renamed" {
		t.Errorf("manage = %+v", got)
	}
	if got := b.manage(token, http.MethodPatch, "clients/native", `{"refresh_token":{"expiration_type":"expiring","idle_token_lifetime":1296000,"leeway":3,"rotation_type":"non-rotating","token_lifetime":2592000}}`); got.status != http.StatusOK {
		t.Errorf("manage = %+v", got)
	}
	if got := b.manage(token, http.MethodPost, "actions/actions", `{"name":"b","supported_triggers":[{"id":"post-login","version":"v3"}],"code":"","dependencies":[],"secrets":[],"runtime":""}`); got.status != http.StatusCreated {
		t.Errorf("manage = %+v", got)
	}
}
