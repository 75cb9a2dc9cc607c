package turso

import (
	"net/http"
	"strings"
	"testing"
)

// A database is found by every form of its URL that clients make requests of.
func TestAddresses(t *testing.T) {
	f := newFixture(t, Options{})
	app, err := f.CreateDatabaseToken("acme", "app", TokenOptions{})
	must(t, err)
	_, err = f.CreateDatabase("acme", "second")
	must(t, err)
	group := sign(f.state.DatabaseKey, tokenClaims{claims: claims{Group: f.state.Organizations["acme"].Groups["default"].ID}})
	must(t, err)
	for _, tt := range []struct {
		name, path, host, namespace, token string
		status                             int
	}{
		{"as exported", "/dbs/app/v2/pipeline", "", "", app, 200},
		{"without its last element", "/dbs/v2/pipeline", "", "", app, 200},
		{"without its last element, version 3", "/dbs/v3/pipeline", "", "", app, 200},
		{"with more slashes", "/dbs//app//v2/pipeline", "", "", app, 200},
		{"by its host", "/v2/pipeline", "app.localhost:8080", "", app, 200},
		{"by its host, as a part of it", "/v2/pipeline", "app.turso.localhost", "", app, 200},
		{"by the header", "/v2/pipeline", "", "app", app, 200},
		{"as turso dev has it", "/dbs/dev/app/v2/pipeline", "", "", app, 404},
		{"of another database", "/dbs/second/v2/pipeline", "", "", app, 401},
		{"of another database by host", "/v2/pipeline", "second.localhost", "", app, 401},
		{"no such database", "/v2/pipeline", "nope.localhost", "", app, 404},
		{"a token for two databases", "/dbs/v2/pipeline", "", "", group, 404},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", f.url+tt.path, strings.NewReader(select1))
		must(t, err)
		req.Header.Set("Authorization", "Bearer "+tt.token)
		if tt.namespace != "" {
			req.Header.Set("x-namespace", tt.namespace)
		}
		req.Host = tt.host
		if !Match(req) {
			t.Errorf("%s: is not for Turso", tt.name)
		}
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		resp.Body.Close()
		if resp.StatusCode != tt.status {
			t.Errorf("%s: answer %s, want %d", tt.name, resp.Status, tt.status)
		}
	}
	if status, body := f.do("GET", "/sync/1/1/2", app, ""); status != 400 || body != `{"generation":1}` {
		t.Errorf("frames at the root: %d %s", status, body)
	}
}
