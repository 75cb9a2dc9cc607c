package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

const (
	plantedToken   = "planted-api-token"
	plantedSession = "planted-session-token"
	plantedMinted  = "planted-minted-token"
)

// fakeAPI is a Platform API that knows one user of two organizations, and fails the
// test on a request that turso-cli would not send.
type fakeAPI struct {
	t      *testing.T
	server *httptest.Server

	mu        sync.Mutex // guards all below
	requests  []string
	databases map[string][]turso.Database // by organization
	exp       int64
	// fail answers for a request "METHOD path" instead of the API.
	fail map[string]http.HandlerFunc
	// change alters the claims of the tokens that are minted.
	change func(map[string]any)
	// wide says that the API token has all rights.
	wide bool
	// made are the created API tokens, by name; asked is the request that created each.
	made  map[string]bool
	asked map[string]any
}

func newFakeAPI(t *testing.T) *fakeAPI {
	f := &fakeAPI{
		t: t, exp: -1, fail: map[string]http.HandlerFunc{}, made: map[string]bool{},
		databases: map[string][]turso.Database{
			"acme": {
				{Name: "other", ID: "id-other", Hostname: "other-acme.turso.io"},
				{Name: "app", ID: "id-app", Hostname: "app-acme.turso.io", Group: "default"},
				{Name: "west", ID: "id-west", Hostname: "WEST-acme.aws-us-west-2.turso.io"},
				{Name: "renamed", ID: "id-renamed", Hostname: "first-acme.turso.io"},
				{Name: "local", ID: "id-local", Hostname: "127.0.0.1:8080/dbs/local"},
			},
			"alice": {{Name: "mine", ID: "id-mine", Hostname: "mine-alice.turso.io"}},
		},
	}
	f.server = httptest.NewServer(f)
	t.Cleanup(f.server.Close)
	return f
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	request := r.Method + " " + r.URL.Path
	f.requests = append(f.requests, request)
	body, _ := io.ReadAll(r.Body)
	if strings.Contains(r.URL.String()+string(body), "planted") {
		f.t.Errorf("the URL or body of %s contains the secret", request)
	}
	w.Header().Set("Content-Type", "application/json")
	if h := f.fail[request]; h != nil {
		h(w, r)
		return
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token != plantedToken && token != plantedSession && (token != plantedMinted || len(f.made) == 0) {
		reply(w, 401, `{"error":"invalid api token"}`)
		return
	}
	switch request {
	case "GET /v1/auth/validate":
		reply(w, 200, fmt.Sprintf(`{"exp":%d}`, f.exp))
	case "GET /v1/auth/api-tokens":
		if !f.wide && token != plantedSession {
			reply(w, 401, `{"error":"api token does not have full access"}`)
			return
		}
		reply(w, 200, `{"tokens":[]}`)
	case "GET /v1/organizations/acme/groups":
		reply(w, 200, `{"groups":[{"name":"default","uuid":"g-1"}]}`)
	case "GET /v1/organizations/alice/groups":
		reply(w, 200, `{"groups":[{"name":"one","uuid":"g-1"},{"name":"two","uuid":"g-2"}]}`)
	case "GET /v1/current-user":
		reply(w, 200, `{"user":{"username":"alice","plan":"starter"}}`)
	case "GET /v2/organizations":
		reply(w, 200, `{"organizations":[{"id":"1","slug":"alice","type":"personal"},{"id":"2","slug":"acme","type":"team"}]}`)
	default:
		if name, ok := strings.CutPrefix(r.URL.Path, "/v2/auth/api-tokens/"); ok && r.Method == http.MethodPost && token == plantedSession {
			f.asked, f.made[name] = nil, true
			_ = json.Unmarshal(body, &f.asked)
			reply(w, 200, fmt.Sprintf(`{"token":{"name":%q,"id":"1","value":%q}}`, name, plantedMinted))
			return
		}
		if name, ok := strings.CutPrefix(r.URL.Path, "/v1/auth/api-tokens/"); ok && r.Method == http.MethodDelete && f.made[name] {
			delete(f.made, name)
			reply(w, 200, `{}`)
			return
		}
		f.serveDatabases(w, r, body)
	}
}

func (f *fakeAPI) serveDatabases(w http.ResponseWriter, r *http.Request, body []byte) {
	organization, rest := "alice", strings.TrimPrefix(r.URL.Path, "/v1")
	if after, ok := strings.CutPrefix(rest, "/organizations/"); ok {
		organization, rest, _ = strings.Cut(after, "/")
		rest = "/" + rest
	}
	databases, member := f.databases[organization]
	if !member {
		reply(w, 403, `{"error":"not a member"}`)
		return
	}
	name, action, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(rest, "/databases"), "/"), "/")
	if !strings.HasPrefix(rest, "/databases") {
		f.t.Errorf("unexpected request %s %s", r.Method, r.URL)
	}
	i := slices.IndexFunc(databases, func(d turso.Database) bool { return d.Name == name })
	switch {
	case r.Method == "GET" && name == "": // two a page
		start := 0
		fmt.Sscan(r.URL.Query().Get("cursor"), &start)
		end := min(start+2, len(databases))
		page := map[string]any{"databases": databases[start:end], "pagination": map[string]any{"next": nil}}
		if end < len(databases) {
			page["pagination"] = map[string]any{"next": fmt.Sprint(end)}
		}
		data, _ := json.Marshal(page)
		reply(w, 200, string(data))
	case i < 0:
		reply(w, 404, fmt.Sprintf(`{"error":"could not find database with name [%s]: record not found"}`, name))
	case r.Method == "GET" && action == "":
		data, _ := json.Marshal(map[string]any{"database": databases[i]})
		reply(w, 200, string(data))
	case r.Method == "POST" && action == "auth/tokens":
		f.mint(w, r, databases[i], body)
	default:
		f.t.Errorf("unexpected request %s %s", r.Method, r.URL)
	}
}

func (f *fakeAPI) mint(w http.ResponseWriter, r *http.Request, database turso.Database, body []byte) {
	var asked struct {
		FineGrained []turso.Permission `json:"fine_grained_permissions"`
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		f.t.Errorf("body %s: %v", body, err)
	}
	life, err := time.ParseDuration(r.URL.Query().Get("expiration"))
	if err != nil {
		reply(w, 400, `{"error":"Invalid expiration format"}`)
		return
	}
	claims := map[string]any{"id": database.ID, "iat": time.Now().Unix(), "exp": time.Now().Add(life).Unix(), "rid": "role"}
	claims["a"] = map[string]string{"read-only": "ro", "full-access": "rw"}[r.URL.Query().Get("authorization")]
	if asked.FineGrained != nil {
		claims["perm"] = asked.FineGrained
	}
	if f.change != nil {
		f.change(claims)
	}
	reply(w, 200, `{"jwt":"`+fakeJWT(`{"alg":"EdDSA","typ":"JWT"}`, claims)+`"}`)
}

func reply(w http.ResponseWriter, status int, body string) {
	w.WriteHeader(status)
	io.WriteString(w, body)
}

func fakeJWT(header string, claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode(payload) + "." + encode([]byte("signature"))
}

// takeRequests returns and clears the recorded requests.
func (f *fakeAPI) takeRequests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	requests := f.requests
	f.requests = nil
	return requests
}

// configured returns a provider with settings as the host gives them: defaults of
// Describe, then changes, where "" removes a setting.
func (f *fakeAPI) configured(changes map[string]string) *platform {
	f.t.Helper()
	p := &platform{http: f.server.Client()}
	values := map[string]string{
		keyAPIToken: plantedToken, keyOrganization: "acme", keyAPIURL: f.server.URL, keyTokenLifetime: "1h",
	}
	maps.Copy(values, changes)
	settings := provider.Settings{}
	for key, value := range values {
		if value != "" {
			settings[key] = provider.NewSecret(value)
		}
	}
	if _, err := p.Configure(f.t.Context(), settings); err != nil {
		f.t.Fatal(err)
	}
	return p
}
