package main

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

func TestTokenFindsTheDatabase(t *testing.T) {
	const get, list, mint = "GET /v1/organizations/acme/databases/", "GET /v1/organizations/acme/databases", "POST /v1/organizations/acme/databases/"
	tests := map[string]struct {
		organization string
		url          string
		id           string
		requests     []string
	}{
		"by the name in the host":   {"acme", "libsql://app-acme.turso.io", "id-app", []string{get + "app", mint + "app/auth/tokens"}},
		"a host with a region":      {"acme", "https://west-acme.aws-us-west-2.turso.io", "id-west", []string{get + "west", mint + "west/auth/tokens"}},
		"a renamed database":        {"acme", "libsql://first-acme.turso.io", "id-renamed", []string{get + "first", list, list, mint + "renamed/auth/tokens"}},
		"with a port and a path":    {"acme", "http://127.0.0.1:8080/dbs/local", "id-local", []string{list, list, list, mint + "local/auth/tokens"}},
		"personal organization":     {"", "libsql://mine-alice.turso.io", "id-mine", []string{"GET /v1/databases", "POST /v1/databases/mine/auth/tokens"}},
		"the port of https is none": {"acme", "libsql://app-acme.turso.io:443/", "id-app", []string{get + "app", mint + "app/auth/tokens"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFakeAPI(t)
			p := f.configured(map[string]string{keyOrganization: test.organization})
			req := provider.TokenRequest{Target: provider.Target{URL: test.url}}
			resp, err := p.Token(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.requests, f.takeRequests()); diff != "" {
				t.Error(diff)
			}
			c, err := decode(resp.Token.Value.Reveal())
			if err != nil || c.Database.DatabaseID != test.id || c.Database.Access != "rw" || resp.Token.Verification != nil || resp.DatabaseID != test.id {
				t.Errorf("claims %+v, %v, for %s", c, err, resp.DatabaseID)
			}
			if life := resp.Token.Expires.Sub(resp.Token.Issued); life != time.Hour {
				t.Errorf("the token lives %v", life)
			}
			// The second time, the database is known.
			if _, err := p.Token(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.requests[len(test.requests)-1:], f.takeRequests()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTokenAsksForWhatIsAskedFor(t *testing.T) {
	f := newFakeAPI(t)
	permission, err := provider.ParsePermission("notes:data_read,data_add")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := f.configured(nil).Token(t.Context(), provider.TokenRequest{
		Target: provider.Target{URL: "libsql://app-acme.turso.io", DatabaseID: "id-app"},
		Access: provider.AccessReadOnly, Permissions: []provider.Permission{permission}, Lifetime: 90 * time.Second,
		// An identity's role must not grant more.
		Claims: &provider.Claims{Subject: "bob", Organization: &provider.Organization{Role: "org:admin"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := decode(resp.Token.Value.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]provider.Permission{permission}, c.Database.Permissions); diff != "" || c.Database.Access != "ro" || c.Life(time.Time{}) != 90*time.Second {
		t.Errorf("claims %+v", c)
	}
}

func TestDatabaseMadeAnew(t *testing.T) {
	f := newFakeAPI(t)
	p := f.configured(nil)
	req := provider.TokenRequest{Target: provider.Target{URL: "libsql://app-acme.turso.io"}}
	if _, err := p.Token(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	for _, database := range []turso.Database{
		{Name: "app", ID: "id-anew", Hostname: "app-acme.turso.io"},
		{Name: "app2", ID: "id-app2", Hostname: "app-acme.turso.io"},
	} {
		f.databases["acme"][1] = database
		resp, err := p.Token(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := decode(resp.Token.Value.Reveal()); err != nil || c.Database.DatabaseID != database.ID {
			t.Errorf("the token is for %+v, want %s", c.Database, database.ID)
		}
	}
}

func TestTokenThatIsWiderThanAskedForIsThrownAway(t *testing.T) {
	permission, err := provider.ParsePermission("notes:data_read")
	if err != nil {
		t.Fatal(err)
	}
	perm := func(tables any, actions ...string) []any { return []any{map[string]any{"t": tables, "a": actions}} }
	tests := map[string]struct {
		change func(map[string]any)
		text   string
	}{
		"another database": {func(c map[string]any) { c["id"] = "id-other" }, "is not for the database that was asked for"},
		"no database":      {func(c map[string]any) { delete(c, "id") }, "is not for the database that was asked for"},
		"capital letters": {func(c map[string]any) {
			c["ID"] = c["id"]
			delete(c, "id")
		}, "is not for the database that was asked for"},
		"a group":           {func(c map[string]any) { c["gid"] = "g" }, "is for more than the database that was asked for"},
		"namespaces":        {func(c map[string]any) { c["p"] = map[string]any{"rw": nil} }, "is for more than the database that was asked for"},
		"read-write":        {func(c map[string]any) { c["a"] = "rw" }, "grants rw"},
		"no access":         {func(c map[string]any) { delete(c, "a") }, "grants rw"},
		"attach":            {func(c map[string]any) { c["a"] = "roa" }, "grants rw"},
		"no expiry":         {func(c map[string]any) { delete(c, "exp") }, "does not expire"},
		"a longer lifetime": {func(c map[string]any) { c["exp"] = time.Now().Add(2 * time.Hour).Unix() }, "lives longer"},
		"a longer lifetime, no iat": {func(c map[string]any) {
			delete(c, "iat")
			c["exp"] = time.Now().Add(2 * time.Hour).Unix()
		}, "lives longer"},
		"no permissions":    {func(c map[string]any) { delete(c, "perm") }, "more than the permissions"},
		"empty permissions": {func(c map[string]any) { c["perm"] = []any{} }, "more than the permissions"},
		"all tables":        {func(c map[string]any) { c["perm"] = perm(nil, "data_read") }, "more than the permissions"},
		"more tables":       {func(c map[string]any) { c["perm"] = perm([]string{"notes", "x"}, "data_read") }, "more than the permissions"},
		"more actions":      {func(c map[string]any) { c["perm"] = perm([]string{"notes"}, "data_read", "data_add") }, "more than the permissions"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFakeAPI(t)
			f.change = test.change
			resp, err := f.configured(nil).Token(t.Context(), provider.TokenRequest{
				Target: provider.Target{URL: "libsql://app-acme.turso.io"},
				Access: provider.AccessReadOnly, Permissions: []provider.Permission{permission},
			})
			if !errors.Is(err, provider.ErrPermission) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v, want %q", err, test.text)
			}
			if !resp.Token.Value.IsZero() {
				t.Error("the token is in the response")
			}
		})
	}
}

func TestNarrowerTokenIsTaken(t *testing.T) {
	f := newFakeAPI(t)
	f.change = func(c map[string]any) {
		c["a"] = "ro"
		c["exp"] = float64(time.Now().Unix()) + 60.5
		c["perm"] = []any{map[string]any{"t": []string{"notes"}, "a": []string{"data_read"}}}
	}
	permission, err := provider.ParsePermission("all:data_read,data_add")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.configured(nil).Token(t.Context(), provider.TokenRequest{
		Target: provider.Target{URL: "libsql://app-acme.turso.io"}, Permissions: []provider.Permission{permission},
	}); err != nil {
		t.Error(err)
	}
}

func TestTokenErrors(t *testing.T) {
	const get, mint = "GET /v1/organizations/acme/databases/app", "POST /v1/organizations/acme/databases/app/auth/tokens"
	app := provider.TokenRequest{Target: provider.Target{URL: "libsql://app-acme.turso.io"}}
	status := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if code == 429 || code == 503 {
				w.Header().Set("Retry-After", "9")
			}
			reply(w, code, body)
		}
	}
	jwt := func(token string) http.HandlerFunc { return status(200, `{"jwt":"`+token+`"}`) }
	tests := map[string]struct {
		settings map[string]string
		req      provider.TokenRequest
		request  string // that fails
		with     http.HandlerFunc
		kind     error
		text     string
		hint     string
		retry    time.Duration
	}{
		"no API token":             {settings: map[string]string{keyAPIToken: ""}, req: app, kind: provider.ErrNoCredential, text: "no Turso API token", hint: "set ZEN_PLATFORMTOKEN__API_TOKEN or TURSO_API_TOKEN"},
		"bad API token":            {settings: map[string]string{keyAPIToken: "planted-but-wrong"}, req: app, kind: provider.ErrRejected, text: "invalid api token (status 401)", hint: "turso auth api-tokens mint NAME"},
		"wrong kind of token":      {req: app, request: get, with: status(401, `{"error":"could not parse jwt id"}`), kind: provider.ErrConfig, text: "is a token for a database or a group", hint: "a Turso API token is needed"},
		"no database":              {req: provider.TokenRequest{}, kind: provider.ErrConfig, text: "no database URL", hint: "ZEN_DATABASE"},
		"unknown database":         {req: provider.TokenRequest{Target: provider.Target{URL: "libsql://nope-acme.turso.io"}}, kind: provider.ErrConfig, text: "no database nope-acme.turso.io in the organization acme", hint: "the API token knows alice, acme"},
		"another organization":     {settings: map[string]string{keyOrganization: ""}, req: app, kind: provider.ErrConfig, text: "no database app-acme.turso.io in the personal organization", hint: "ZEN_PLATFORMTOKEN__ORGANIZATION"},
		"not a member":             {settings: map[string]string{keyOrganization: "evil"}, req: app, kind: provider.ErrPermission, text: "not a member (status 403)", hint: "a member of the organization evil"},
		"bad organization":         {settings: map[string]string{keyOrganization: "../x"}, req: app, kind: provider.ErrConfig, text: `"../x" is not a valid organization name`},
		"another database id":      {req: provider.TokenRequest{Target: provider.Target{URL: app.Target.URL, DatabaseID: "id-other"}}, kind: provider.ErrConfig, text: "database_id is id-other, but the database app has the id id-app"},
		"bad access":               {req: provider.TokenRequest{Target: app.Target, Access: "root"}, kind: provider.ErrConfig, text: `access "root" is not ro or rw`},
		"lifetime of nothing":      {req: provider.TokenRequest{Target: app.Target, Lifetime: time.Millisecond}, kind: provider.ErrConfig, text: "an expiration of 1ms is below a second"},
		"no scope to mint":         {req: app, request: mint, with: status(403, `{"error":"missing scope"}`), kind: provider.ErrPermission, text: "create a database token: missing scope (status 403)", hint: "scopes read and db:mint-token"},
		"not included in the plan": {req: app, request: mint, with: status(402, `{"error":"upgrade"}`), kind: provider.ErrPermission, text: "upgrade (status 402)", hint: "turso plan show"},
		"bad request":              {req: app, request: mint, with: status(400, `{"error":"Invalid expiration format"}`), kind: provider.ErrConfig, text: "Invalid expiration format (status 400)"},
		"a deleted database":       {req: app, request: mint, with: status(404, `{"error":"record not found"}`), kind: provider.ErrConfig, text: "record not found (status 404)", hint: "turso db list"},
		"too many requests":        {req: app, request: mint, with: status(429, `{"error":"slow down"}`), kind: provider.ErrUnavailable, text: "slow down (status 429)", retry: 9 * time.Second},
		"server error":             {req: app, request: get, with: status(503, ``), kind: provider.ErrUnavailable, text: "service unavailable (status 503)", retry: 9 * time.Second},
		"captive portal":           {req: app, request: get, with: status(200, `<html>`), kind: provider.ErrUnavailable, text: "the answer is not the JSON that was expected"},
		"redirect":                 {req: app, request: get, with: status(302, ``), kind: provider.ErrConfig, text: "redirects", hint: "check api_url"},
		"no token in answer":       {req: app, request: mint, with: status(200, `{}`), kind: provider.ErrUnavailable, text: "the answer has no jwt"},
		"not a JWT":                {req: app, request: mint, with: jwt("planted"), kind: provider.ErrTokenInvalid, text: "is not a signed JWT"},
		"unsigned JWT":             {req: app, request: mint, with: jwt(fakeJWT(`{"alg":"none"}`, map[string]any{"id": "id-app"})), kind: provider.ErrTokenInvalid, text: "is not a signed JWT"},
		"JWT with rubbish":         {req: app, request: mint, with: jwt("e30.cGxhbnRlZA.x"), kind: provider.ErrTokenInvalid, text: "is not a signed JWT"},
		"connection cut": {req: app, request: mint, with: func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}, kind: provider.ErrUnavailable, text: "create a database token: EOF"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFakeAPI(t)
			if test.request != "" {
				f.fail[test.request] = test.with
			}
			_, err := f.configured(test.settings).Token(t.Context(), test.req)
			if provider.Kind(err) != test.kind || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v (%v), want %q (%v)", err, provider.Kind(err), test.text, test.kind)
			}
			if !strings.Contains(provider.Hint(err), test.hint) {
				t.Errorf("hint %q, want %q", provider.Hint(err), test.hint)
			}
			var e *provider.Error
			if errors.As(err, &e) && e.RetryAfter != test.retry {
				t.Errorf("retry after %v", e.RetryAfter)
			}
			if strings.Contains(err.Error()+provider.Hint(err), "planted") {
				t.Errorf("the secret is in the error: %v", err)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(fakeJWT(`{"alg":"EdDSA"}`, map[string]any{"id": "x", "a": "rw", "exp": 1e10, "perm": []any{map[string]any{"t": nil, "a": []string{"data_read"}}}}))
	f.Add("e30.e30.e30")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		c, err := decode(token)
		if err != nil {
			if !errors.Is(err, provider.ErrTokenInvalid) || len(err.Error()) > 200 {
				t.Fatalf("error %v", err)
			}
			return
		}
		req := provider.TokenRequest{Access: provider.AccessReadOnly, Permissions: []provider.Permission{{Tables: []string{"t"}, Actions: []provider.Action{"data_read"}}}}
		if within(c, turso.Database{ID: "x"}, req, time.Hour, time.Unix(0, 0)) == nil && (c.Database.DatabaseID != "x" || c.Expires.IsZero() || len(c.Database.Permissions) == 0) {
			t.Fatalf("%+v is accepted", c)
		}
	})
}
