package secretsturso

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/vault/sdk/logical"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/devstack/turso"
)

// TestBadConfiguration checks common mistakes. Nothing of them is stored, and no error
// repeats a secret.
func TestBadConfiguration(t *testing.T) {
	e := newEngine(t, devstacktest.Start(t, devstack.Options{}))
	database, err := e.stack.Turso.CreateDatabaseToken("acme", "app", turso.TokenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const planted = "planted-token"
	for _, test := range []struct {
		path string
		data object
		want string
	}{
		{"config", object{"organization": "acme"}, "api_token is missing"},
		{"config", object{"api_token": planted}, "organization is missing"},
		{"config", object{"api_token": "", "organization": "acme"}, "api_token is missing"},
		{"config", object{"api_token": planted + "\nx", "organization": "acme"}, "api_token is no token"},
		{"config", object{"api_token": "sk_test_planted", "organization": "acme"}, "a key of Clerk's"},
		{"config", object{"api_token": database, "organization": "acme"}, "a token for a database"},
		{"config", object{"api_token": planted, "organization": "../x"}, `organization "../x" is not a name`},
		{"config", object{"api_token": planted, "organization": "acme", "group": "a b"}, `group "a b" is not a name`},
		{"config", object{"api_token": planted, "organization": "acme", "api_token_name": "a/b"}, "api_token_name"},
		{"config", object{"api_token": planted, "organization": "acme", "api_url": "http://api.turso.tech"}, "write https://"},
		{"config", object{"api_token": planted, "organization": "acme", "api_url": "https://u:planted@x"}, "user name"},
		{"config", object{"api_token": planted, "organization": "acme", "api_url": "turso"}, "not a whole URL"},
		{"config", object{"api_token": []any{1, 2}, "organization": "acme"}, ""},

		{"roles/app", object{}, "database is missing"},
		{"roles/app", object{"database": "App"}, `database "App" is not a database's name`},
		{"roles/app", object{"database": "../app"}, "is not a database's name"},
		{"roles/app", object{"database": "app-{{identity.entity.metadata.org"}, "is not a template"},
		{"roles/app", object{"database": "app-{{org}}"}, "is not a template"},
		{"roles/app", object{"database": "app", "access": "admin"}, `access "admin" is not ro or rw`},
		{"roles/app", object{"database": "app", "access": ""}, "access is empty"},
		{"roles/app", object{"database": "app", "permissions": []string{"notes:data_insert"}}, `unknown action "data_insert"`},
		{"roles/app", object{"database": "app", "permissions": []string{"notes"}}, "is not TABLE:ACTION"},
		{"roles/app", object{"database": "app", "ttl": "-5m"}, "ttl"},
		{"roles/app", object{"database": "app", "ttl": "soon"}, ""},
		{"roles/app", object{"database": "app", "ttl": "10m", "max_ttl": "5m"}, "ttl 10m0s is more than max_ttl 5m0s"},
		{"roles/app", object{"database": "app", "revoke": "now"}, `revoke "now" is not none or rotate`},
		{"roles/app", object{"group": "default"}, "say so twice"},
		{"roles/app", object{"group": "default", "confirm_group": "defualt"}, "say so twice"},
		{"roles/app", object{"database": "app", "group": "default", "confirm_group": "default"}, "exclude each other"},
		{"roles/app", object{"group": "default", "confirm_group": "default", "revoke": "rotate"}, "tokens of the whole group"},
		{"roles/app", object{"group": "a b", "confirm_group": "a b"}, "is not a group's name"},
	} {
		_, status, err := e.handle(logical.UpdateOperation, test.path, test.data)
		if status != http.StatusBadRequest || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "planted") || strings.Contains(err.Error(), "eyJ") {
			t.Errorf("%s %v: status %d, %v; want 400 with %q", test.path, test.data, status, err, test.want)
		}
		if _, status, _ := e.handle(logical.ReadOperation, test.path, nil); status != http.StatusNotFound {
			t.Errorf("%s %v was stored", test.path, test.data)
			e.must(logical.DeleteOperation, test.path, nil)
		}
	}
	for path, status := range map[string]int{"nothing": 404, "roles/a/b": 404, "creds/../config": 404, "creds/": 404} {
		if _, got, _ := e.handle(logical.ReadOperation, path, nil); got != status {
			t.Errorf("read %s: status %d, want %d", path, got, status)
		}
	}
	if _, status, _ := e.handle(logical.DeleteOperation, "creds/app", nil); status != http.StatusMethodNotAllowed {
		t.Errorf("delete creds/app: status %d", status)
	}
}

// FuzzRequests makes requests with arbitrary paths and fields: they get a status and
// never a token, since no role allows one.
func FuzzRequests(f *testing.F) {
	f.Add("config", "api_token", "x")
	f.Add("roles/app", "database", "app-{{identity.entity.id}}")
	f.Add("roles/{{", "permissions", "all:data_read")
	f.Add("creds/app", "ttl", "9223372036854775807h")
	f.Add("config/rotate-root", "api_token", "\x00")
	f.Add("roles/app", "ttl", "1e30")
	f.Fuzz(func(t *testing.T, path, key, value string) {
		e := &engine{backend: newBackend(), t: t, storage: &logical.InmemStorage{}, system: logical.TestSystemView()}
		if err := e.Setup(t.Context(), &logical.BackendConfig{System: e.system, StorageView: e.storage}); err != nil {
			t.Fatal(err)
		}
		conf := config{APIToken: "planted-token", Organization: "acme", APIURL: "http://127.0.0.1:1"}
		if err := conf.store(t.Context(), e.storage); err != nil {
			t.Fatal(err)
		}
		for _, op := range []logical.Operation{logical.UpdateOperation, logical.ReadOperation, logical.ListOperation, logical.DeleteOperation} {
			resp, status, err := e.handle(op, path, object{key: value})
			if err != nil && strings.Contains(err.Error(), "planted") || status >= 200 && status < 300 && resp != nil && resp.Secret != nil {
				t.Fatalf("%s %q: status %d, %v, %v", op, path, status, resp, err)
			}
		}
	})
}

// FuzzTemplate checks that expanding any template with any entity gives a valid database
// name or nothing.
func FuzzTemplate(f *testing.F) {
	f.Add("app-{{identity.entity.metadata.org}}", "acme")
	f.Add("{{identity.entity.name}}", "../../groups/default")
	f.Add("{{identity.entity.metadata.org}}-x", "\n")
	f.Fuzz(func(t *testing.T, template, value string) {
		if checkTemplate(template) != nil {
			return
		}
		b := newBackend()
		system := logical.TestSystemView()
		system.EntityVal = &logical.Entity{ID: "e", Name: value, Metadata: map[string]string{"org": value}}
		if err := b.Setup(t.Context(), &logical.BackendConfig{System: system}); err != nil {
			t.Fatal(err)
		}
		if name, err := b.expand(template, "e"); err == nil && !databaseName.MatchString(name) {
			t.Fatalf("%q with %q is %q", template, value, name)
		}
	})
}
