package turso_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zen-auth/zen/core/turso"
)

const apiToken = "planted-api-token"

// exchange is one request that the server expects, and its answer.
type exchange struct {
	request string // METHOD path?query
	body    string // exact, "" means none
	status  int    // 0 is 200
	header  http.Header
	answer  string
}

// serve answers the exchanges in their order and fails the test on any other request.
func serve(t *testing.T, exchanges ...exchange) *turso.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(exchanges) == 0 {
			t.Errorf("unexpected request %s %s", r.Method, r.URL)
			return
		}
		want := exchanges[0]
		exchanges = exchanges[1:]
		if got := r.Method + " " + r.URL.String(); got != want.request {
			t.Errorf("request %s, want %s", got, want.request)
		}
		body, _ := io.ReadAll(r.Body)
		if string(body) != want.body {
			t.Errorf("%s: body %s, want %s", want.request, body, want.body)
		}
		if (len(body) > 0) != (r.Header.Get("Content-Type") == "application/json") {
			t.Errorf("%s: content type %q of %d bytes", want.request, r.Header.Get("Content-Type"), len(body))
		}
		if got := r.Header.Get("Authorization"); got != "Bearer "+apiToken {
			t.Errorf("%s: authorization %q", want.request, got)
		}
		if got := r.Header.Get("User-Agent"); got != "zen-test" {
			t.Errorf("%s: user agent %q", want.request, got)
		}
		for key, values := range want.header {
			w.Header()[key] = values
		}
		if want.status != 0 {
			w.WriteHeader(want.status)
		}
		io.WriteString(w, want.answer)
	}))
	t.Cleanup(func() {
		server.Close()
		if len(exchanges) > 0 {
			t.Errorf("%d requests are missing, the first is %s", len(exchanges), exchanges[0].request)
		}
	})
	return client(t, server.URL+"/")
}

func client(t *testing.T, baseURL string) *turso.Client {
	t.Helper()
	c, err := turso.New(turso.Options{
		BaseURL:   baseURL,
		Token:     func(context.Context) (string, error) { return apiToken, nil },
		UserAgent: "zen-test",
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const orgs = `{"organizations":[{"id":"1","name":"Acme Inc","slug":"acme","type":"team","overages":true,"stripe_id":"cus_1"},{"id":"2","slug":"alice","type":"personal"}]}`

// TestCalls wants each request as turso-cli sends it.
func TestCalls(t *testing.T) {
	ctx := context.Background()
	get := func(path, answer string) exchange { return exchange{request: "GET " + path, answer: answer} }
	tests := map[string]struct {
		exchanges []exchange
		do        func(c *turso.Client) (any, error)
		want      any
	}{
		"validate": {
			[]exchange{get("/v1/auth/validate", `{"exp":1735689600}`)},
			func(c *turso.Client) (any, error) { return c.Validate(ctx) },
			time.Unix(1735689600, 0),
		},
		"validate a token without expiry": {
			[]exchange{get("/v1/auth/validate", `{"exp":-1}`)},
			func(c *turso.Client) (any, error) { return c.Validate(ctx) },
			time.Time{},
		},
		"current user": {
			[]exchange{get("/v1/current-user", `{"user":{"username":"alice","plan":"starter","more":1}}`)},
			func(c *turso.Client) (any, error) { return c.CurrentUser(ctx) },
			turso.User{Username: "alice", Plan: "starter"},
		},
		"organizations": {
			[]exchange{get("/v2/organizations", orgs)},
			func(c *turso.Client) (any, error) { return c.Organizations(ctx) },
			[]turso.Organization{{ID: "1", Name: "Acme Inc", Slug: "acme", Type: "team", Overages: true}, {ID: "2", Slug: "alice", Type: "personal"}},
		},
		"database": {
			[]exchange{get("/v1/organizations/acme/databases/app", `{"database":{"Name":"app","DbId":"d-1","Hostname":"app-acme.turso.io","primaryRegion":"aws","group":"default","block_reads":true,"regions":["aws"],"parent":null}}`)},
			func(c *turso.Client) (any, error) { return c.Database(ctx, "acme", "app") },
			turso.Database{Name: "app", ID: "d-1", Hostname: "app-acme.turso.io", Group: "default", PrimaryRegion: "aws", BlockedReads: true},
		},
		"database of the personal organization, older spelling": {
			[]exchange{get("/v1/databases/app", `{"database":{"name":"app","dbId":"d-1","hostname":"127.0.0.1:80/dbs/app"}}`)},
			func(c *turso.Client) (any, error) { return c.Database(ctx, "", "app") },
			turso.Database{Name: "app", ID: "d-1", Hostname: "127.0.0.1:80/dbs/app"},
		},
		"databases, three pages": {
			[]exchange{
				get("/v1/organizations/acme/databases?group=g&limit=2", `{"databases":[{"Name":"a"},{"Name":"b"}],"pagination":{"next":"c&1"}}`),
				get("/v1/organizations/acme/databases?cursor=c%261&group=g&limit=2", `{"databases":[],"pagination":{"next":"c2"}}`),
				get("/v1/organizations/acme/databases?cursor=c2&group=g&limit=2", `{"databases":[{"Name":"c"}],"pagination":{"next":null}}`),
			},
			func(c *turso.Client) (any, error) {
				return names(c, "acme", turso.DatabaseFilter{Group: "g", PageSize: 2})
			},
			[]string{"a", "b", "c"},
		},
		"databases without pages": {
			[]exchange{get("/v1/databases?limit=100", `{"databases":[{"Name":"a"}]}`)},
			func(c *turso.Client) (any, error) { return names(c, "", turso.DatabaseFilter{}) },
			[]string{"a"},
		},
		"token": {
			[]exchange{{request: "POST /v1/organizations/acme/databases/app/auth/tokens?authorization=read-only&expiration=1d2h30m", body: `{}`, answer: `{"jwt":"a.b.c"}`}},
			func(c *turso.Client) (any, error) {
				return c.CreateDatabaseToken(ctx, "acme", "app", turso.TokenOptions{Expiration: 26*time.Hour + 30*time.Minute, Authorization: turso.ReadOnly})
			},
			"a.b.c",
		},
		"token with permissions": {
			[]exchange{{
				request: "POST /v1/databases/app/auth/tokens?authorization=full-access&expiration=never",
				body:    `{"permissions":{"read_attach":{"databases":["x"]}},"fine_grained_permissions":[{"t":null,"a":["data_read"]},{"t":["notes"],"a":["data_add"]}]}`,
				answer:  `{"jwt":"a.b.c"}`,
			}},
			func(c *turso.Client) (any, error) {
				return c.CreateDatabaseToken(ctx, "", "app", turso.TokenOptions{
					Never: true, Authorization: turso.FullAccess, ReadAttach: []string{"x"},
					Permissions: []turso.Permission{{Actions: []string{"data_read"}}, {Tables: []string{"notes"}, Actions: []string{"data_add"}}},
				})
			},
			"a.b.c",
		},
		"rotate": {
			[]exchange{{request: "POST /v1/organizations/acme/databases/app/auth/rotate"}},
			func(c *turso.Client) (any, error) { return nil, c.RotateDatabase(ctx, "acme", "app") },
			nil,
		},
		"key sets": {
			[]exchange{get("/v2/organizations/acme/jwks", `{"jwks":[{"jwks_name":"clerk","jwks_url":"https://c.example/jwks.json"}]}`)},
			func(c *turso.Client) (any, error) { return c.KeySets(ctx, "acme") },
			[]turso.KeySet{{Name: "clerk", URL: "https://c.example/jwks.json"}},
		},
		"key sets of the personal organization": {
			[]exchange{get("/v2/organizations", orgs), get("/v2/organizations/alice/jwks", `{"jwks":null}`)},
			func(c *turso.Client) (any, error) { return c.KeySets(ctx, "") },
			[]turso.KeySet(nil),
		},
		"save a key set": {
			[]exchange{{request: "PUT /v2/organizations/acme/jwks/Zedi%20Clerk", body: `{"jwks_url":"https://c.example/j","region":""}`, answer: "ok"}},
			func(c *turso.Client) (any, error) {
				return nil, c.SaveKeySet(ctx, "acme", turso.KeySet{Name: "Zedi Clerk", URL: "https://c.example/j"})
			},
			nil,
		},
		"remove a key set": {
			[]exchange{{request: "DELETE /v2/organizations/acme/jwks/clerk", body: `{"region":""}`}},
			func(c *turso.Client) (any, error) { return nil, c.RemoveKeySet(ctx, "acme", "clerk", "") },
			nil,
		},
		"remove a key set whose name has a slash": {
			[]exchange{{request: "DELETE /v2/organizations/acme/jwks/a%2Fb%5C%3F%20%C3%A9", body: `{"region":""}`}},
			func(c *turso.Client) (any, error) { return nil, c.RemoveKeySet(ctx, "acme", `a/b\? é`, "") },
			nil,
		},
		"plans": {
			[]exchange{get("/v1/plans", `{"plans":[{"name":"starter","price":"0","quotas":{"rowsRead":500,"rowsWritten":10,"databases":100,"storage":5000,"groups":1,"locations":1}}]}`)},
			func(c *turso.Client) (any, error) { return c.Plans(ctx) },
			[]turso.Plan{{Name: "starter", Quotas: turso.Quotas{RowsRead: 500, RowsWritten: 10, Databases: 100, Storage: 5000, Groups: 1}}},
		},
		"what is blocked": {
			[]exchange{get("/v1/organizations", `[{"slug":"alice","type":"personal"},{"slug":"acme","type":"team","blocked_reads":false,"blocked_writes":true}]`)},
			func(c *turso.Client) (any, error) {
				reads, writes, err := c.Blocked(ctx, "acme")
				return [2]bool{reads, writes}, err
			},
			[2]bool{false, true},
		},
		"usage of a database": {
			[]exchange{get("/v1/organizations/acme/databases/app/usage", `{"database":{"uuid":"d-1","instances":[],"usage":{"rows_read":3,"rows_written":2,"storage_bytes":4096,"bytes_synced":1}}}`)},
			func(c *turso.Client) (any, error) { return c.DatabaseUsage(ctx, "acme", "app") },
			turso.Usage{RowsRead: 3, RowsWritten: 2, StorageBytes: 4096, BytesSynced: 1},
		},
		"configuration of a database": {
			[]exchange{get("/v1/databases/app/configuration", `{"size_limit":"256mb","allow_attach":false,"delete_protection":true,"allowed_ips":["10.0.0.0/8"],"allowed_aws_vpc_ids":[]}`)},
			func(c *turso.Client) (any, error) { return c.Configuration(ctx, "", "app") },
			turso.Configuration{SizeLimit: "256mb", DeleteProtection: true, AllowedIPs: []string{"10.0.0.0/8"}, AllowedVPCs: []string{}},
		},
		"template": {
			[]exchange{{
				request: "GET /v2/organizations/acme/jwks-template",
				body:    `{"database":"app","group":null,"scope":"full-access","permissions":[]}`,
				answer:  `{"template": {"a":"rw","id":"d-1","perm":[],"rid":"r-1"}}`,
			}},
			func(c *turso.Client) (any, error) {
				return c.Template(ctx, "acme", turso.TemplateOptions{Database: "app", Authorization: turso.FullAccess})
			},
			json.RawMessage(`{"a":"rw","id":"d-1","perm":[],"rid":"r-1"}`),
		},
		"usage": {
			[]exchange{get("/v1/organizations/acme/usage", `{"organization":{"uuid":"u","usage":{"rows_read":1,"storage_bytes":18446744073709551615,"databases":3}}}`)},
			func(c *turso.Client) (any, error) { return c.Usage(ctx, "acme") },
			turso.Usage{RowsRead: 1, StorageBytes: 1<<64 - 1, Databases: 3},
		},
		"subscription": {
			[]exchange{get("/v1/subscription", `{"subscription":{"plan":"starter","timeline":"monthly","overages":false}}`)},
			func(c *turso.Client) (any, error) { return c.Subscription(ctx, "") },
			turso.Subscription{Plan: "starter", Timeline: "monthly"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := test.do(serve(t, test.exchanges...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func names(c *turso.Client, org string, filter turso.DatabaseFilter) ([]string, error) {
	var names []string
	for d, err := range c.Databases(context.Background(), org, filter) {
		if err != nil {
			return nil, err
		}
		names = append(names, d.Name)
	}
	return names, nil
}

func TestDatabasesStopsWhenTheCallerDoes(t *testing.T) {
	c := serve(t, exchange{request: "GET /v1/databases?limit=100", answer: `{"databases":[{"Name":"a"},{"Name":"b"}],"pagination":{"next":"x"}}`})
	for range c.Databases(context.Background(), "", turso.DatabaseFilter{}) {
		break
	}
}

func TestDatabasesEnds(t *testing.T) {
	again := exchange{request: "GET /v1/databases?cursor=x&limit=100", answer: `{"pagination":{"next":"x"}}`}
	first := exchange{request: "GET /v1/databases?limit=100", answer: `{"pagination":{"next":"x"}}`}
	_, err := names(serve(t, first, again), "", turso.DatabaseFilter{})
	if err == nil || !strings.Contains(err.Error(), "the list does not end") {
		t.Error(err)
	}
}

func TestNew(t *testing.T) {
	token := func(context.Context) (string, error) { return apiToken, nil }
	for _, good := range []string{"", "https://api.turso.tech", "https://x.example/prefix/", "http://localhost:1", "http://127.0.0.2", "http://[::1]:9"} {
		if _, err := turso.New(turso.Options{BaseURL: good, Token: token}); err != nil {
			t.Errorf("New(%q): %v", good, err)
		}
	}
	for _, bad := range []string{"api.turso.tech", "http://api.turso.tech", "ftp://x", "https://u:planted@x", "https://x?a=planted", "https://x#planted", "https://", "::", "http://localhost.evil.example"} {
		_, err := turso.New(turso.Options{BaseURL: bad, Token: token})
		if err == nil || strings.Contains(err.Error(), "planted") {
			t.Errorf("New(%q): %v, want an error without secrets", bad, err)
		}
	}
	if _, err := turso.New(turso.Options{}); err == nil {
		t.Error("New without a token function returned no error")
	}
}

func TestPrefixOfTheBaseURLIsKept(t *testing.T) {
	var path string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		io.WriteString(w, `{"exp":-1}`)
	}))
	defer server.Close()
	if _, err := client(t, server.URL+"/turso").Validate(context.Background()); err != nil || path != "/turso/v1/auth/validate" {
		t.Error(path, err)
	}
}

func TestNothingIsSentForABadArgument(t *testing.T) {
	ctx := context.Background()
	c := serve(t)
	good := turso.TokenOptions{Expiration: time.Hour, Authorization: turso.ReadOnly}
	for _, name := range []string{"", ".", "..", "a/b", `a\b`, "a\nb", strings.Repeat("a", 129)} {
		if _, err := c.CreateDatabaseToken(ctx, "acme", name, good); !errors.Is(err, turso.ErrBadArgument) {
			t.Errorf("database %q: %v, want ErrBadArgument", name, err)
		}
		if name != "" { // the empty name is the personal organization
			if _, err := c.Database(ctx, name, "app"); !errors.Is(err, turso.ErrBadArgument) {
				t.Errorf("organization %q: %v, want ErrBadArgument", name, err)
			}
		}
		if strings.ContainsAny(name, `/\`) {
			continue // these are allowed in a key set's name
		}
		if err := c.RemoveKeySet(ctx, "acme", name, ""); !errors.Is(err, turso.ErrBadArgument) {
			t.Errorf("key set %q: %v, want ErrBadArgument", name, err)
		}
	}
	for _, bad := range []turso.TokenOptions{
		{Authorization: turso.ReadOnly},
		{Authorization: turso.ReadOnly, Expiration: -time.Hour},
		{Authorization: turso.ReadOnly, Expiration: 999 * time.Millisecond},
		{Authorization: turso.ReadOnly, Expiration: time.Hour, Never: true},
		{Expiration: time.Hour},
		{Expiration: time.Hour, Authorization: "rw"},
	} {
		if _, err := c.CreateDatabaseToken(ctx, "acme", "app", bad); !errors.Is(err, turso.ErrBadArgument) {
			t.Errorf("options %+v: %v, want ErrBadArgument", bad, err)
		}
	}
}
