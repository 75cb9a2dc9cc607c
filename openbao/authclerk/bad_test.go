package authclerk

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/vault/sdk/logical"
)

// TestBadConfiguration checks common mistakes. Nothing of them is stored, and no error
// repeats a secret.
func TestBadConfiguration(t *testing.T) {
	m := newMethod(t)
	m.must(logical.DeleteOperation, "config", nil)
	const good = "sk_test_planted"
	live := "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k" // clerk.example.com$
	for _, test := range []struct {
		path string
		data object
		want string
	}{
		{"config", object{}, "secret_key is missing"},
		{"config", object{"secret_key": ""}, "secret_key is missing"},
		{"config", object{"secret_key": "pk_test_planted"}, "is a publishable key"},
		{"config", object{"secret_key": "ak_planted"}, "is a Clerk API key (ak_...)"},
		{"config", object{"secret_key": "planted"}, "no secret key"},
		{"config", object{"secret_key": "sk_planted"}, "no secret key"},
		{"config", object{"secret_key": good + "\nx"}, "no secret key"},
		{"config", object{"secret_key": good, "instance": good}, "no publishable key"},
		{"config", object{"secret_key": good, "instance": "pk_test_!!!"}, "no publishable key"},
		{"config", object{"secret_key": good, "instance": "pk_test_eA"}, "no publishable key"},
		{"config", object{"secret_key": good, "instance": live}, "instance is of a live instance, and secret_key of a test one"},
		{"config", object{"secret_key": good, "api_url": "http://api.clerk.com/v1"}, "not https://"},
		{"config", object{"secret_key": good, "api_url": "https://u:planted@x"}, "user name"},
		{"config", object{"secret_key": good, "api_url": "clerk"}, "not a whole URL"},
		{"config", object{"secret_key": good, "api_url": "ftp://x"}, "not https://"},

		{"role/app", object{"token_policies": "x"}, "binds at least one of"},
		{"role/app", object{"bound_subjects": "alice@example.test"}, "is not an id like user_2abc"},
		{"role/app", object{"bound_subjects": "user_*"}, "is not an id like user_2abc"},
		{"role/app", object{"bound_organizations": "acme"}, "a slug can be taken over"},
		{"role/app", object{"bound_claims": object{"env": object{"a": 1}}}, "wants a text, number or truth value"},
		{"role/app", object{"bound_claims": object{"env": []any{}}}, "has no value that is good"},
		{"role/app", object{"bound_subjects": "user_1", "token_ttl": "2h", "token_max_ttl": "1h"}, ""},
		{"role/app", object{"bound_subjects": "user_1", "token_ttl": "soon"}, ""},
		{"role/app", object{"bound_subjects": "user_1", "token_bound_cidrs": "nowhere"}, ""},
		{"role/app", object{"bound_subjects": "user_1", "token_type": "golden"}, ""},
	} {
		_, status, err := m.handle(logical.UpdateOperation, test.path, test.data)
		if status != http.StatusBadRequest || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "planted") {
			t.Errorf("%s %v: status %d, %v; want 400 with %q", test.path, test.data, status, err, test.want)
		}
		if _, status, _ := m.handle(logical.ReadOperation, test.path, nil); status != http.StatusNotFound {
			t.Errorf("%s %v was stored", test.path, test.data)
			m.must(logical.DeleteOperation, test.path, nil)
		}
	}
	m.refused(logical.UpdateOperation, "login", object{"role": "app", "api_key": "ak_planted"}, http.StatusBadRequest, "write config")
	m.refused(logical.ReadOperation, "config/check", nil, http.StatusBadRequest, "write config")
}

// FuzzRequests makes requests with arbitrary paths and fields: they get a status, and
// never a sign-in.
func FuzzRequests(f *testing.F) {
	f.Add("config", "secret_key", "x")
	f.Add("role/app", "bound_claims", `{"a":[]}`)
	f.Add("login", "api_key", "ak_\x00")
	f.Add("role/{{", "bound_subjects", "user_1")
	f.Fuzz(func(t *testing.T, path, key, value string) {
		m := &method{backend: newBackend(), t: t, storage: &logical.InmemStorage{}}
		if err := m.Setup(t.Context(), &logical.BackendConfig{System: logical.TestSystemView(), StorageView: m.storage}); err != nil {
			t.Fatal(err)
		}
		entry, err := logical.StorageEntryJSON(configKey, config{SecretKey: "sk_test_planted", APIURL: "http://127.0.0.1:1"})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.storage.Put(t.Context(), entry); err != nil {
			t.Fatal(err)
		}
		for _, op := range []logical.Operation{logical.UpdateOperation, logical.ReadOperation, logical.ListOperation, logical.DeleteOperation} {
			resp, status, err := m.handle(op, path, object{key: value, "role": "app"})
			if err != nil && strings.Contains(err.Error(), "planted") || status < 300 && resp != nil && resp.Auth != nil {
				t.Fatalf("%s %q: status %d, %v, %v", op, path, status, resp, err)
			}
		}
	})
}

// FuzzAnswer reads responses of a server that isn't Clerk.
func FuzzAnswer(f *testing.F) {
	f.Add(`{"id":"ak_1","subject":"user_1","claims":{"a":[1,"x"]},"scopes":["a"],"expiration":1e18}`)
	f.Add(`{"claims":[],"expiration":-1}`)
	f.Fuzz(func(t *testing.T, body string) {
		var key apiKey
		if key.UnmarshalJSON([]byte(body)) != nil {
			return
		}
		r := role{Subjects: []string{"user_1"}, Claims: map[string]any{"a": []any{"x"}}}
		if r.takes(key) && key.Subject != "user_1" {
			t.Fatalf("the key %+v is accepted", key)
		}
	})
}
