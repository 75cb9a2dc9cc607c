package authclerk

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/sdk/logical"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

type object = map[string]any

// method is a mount of the backend with in-memory storage and a Clerk instance.
type method struct {
	*backend
	t       *testing.T
	stack   *devstack.Stack
	clock   *devstack.Clock
	storage logical.Storage
	log     *bytes.Buffer

	mu    sync.Mutex // guards calls
	calls []string   // of Clerk's API
}

func newMethod(t *testing.T) *method {
	t.Helper()
	clock := devstack.NewClock(time.Now())
	m := &method{
		backend: newBackend(), t: t, stack: devstacktest.Start(t, devstack.Options{Now: clock.Now}), clock: clock,
		storage: &logical.InmemStorage{}, log: &bytes.Buffer{},
	}
	m.now = clock.Now
	inner := m.http.Transport
	m.http.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		m.mu.Lock()
		m.calls = append(m.calls, r.Method+" "+r.URL.Path)
		m.mu.Unlock()
		return inner.RoundTrip(r)
	})
	err := m.Setup(t.Context(), &logical.BackendConfig{
		System: logical.TestSystemView(), StorageView: m.storage, Logger: hclog.New(&hclog.LoggerOptions{Output: m.log, Level: hclog.Trace}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Cleanup(context.Background()) })
	m.must(logical.UpdateOperation, "config", object{
		"secret_key": m.stack.Clerk.SecretKey(), "instance": m.stack.Clerk.PublishableKey(), "api_url": m.stack.Clerk.BackendURL(),
	})
	return m
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (m *method) handle(op logical.Operation, path string, data object) (*logical.Response, int, error) {
	req := &logical.Request{Operation: op, Path: path, Data: data, Storage: m.storage}
	if op == logical.UpdateOperation {
		if checked, exists, _ := m.HandleExistenceCheck(m.t.Context(), req); checked && !exists {
			req.Operation = logical.CreateOperation
		}
	}
	resp, err := m.HandleRequest(m.t.Context(), req)
	status, respErr := logical.RespondErrorCommon(req, resp, err)
	if respErr != nil {
		logical.AdjustErrorStatusCode(&status, err)
	}
	if status == 0 {
		status = http.StatusOK
	}
	return resp, status, respErr
}

func (m *method) must(op logical.Operation, path string, data object) *logical.Response {
	m.t.Helper()
	resp, status, err := m.handle(op, path, data)
	if status != http.StatusOK {
		m.t.Fatalf("%s %s: status %d, %v", op, path, status, err)
	}
	return resp
}

func (m *method) refused(op logical.Operation, path string, data object, status int, text string) {
	m.t.Helper()
	resp, got, err := m.handle(op, path, data)
	if got != status || err == nil || !strings.Contains(err.Error(), text) || strings.ContainsAny(err.Error(), "\n\x1b") || resp != nil && resp.Auth != nil {
		m.t.Errorf("%s %s: status %d, %v; want %d with %q", op, path, got, err, status, text)
	}
}

// key creates an API key with the Backend API, as a team would.
type key struct{ ID, Secret string }

func (m *method) backendAPI(httpMethod, path string, body object, result any) {
	m.t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		m.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(m.t.Context(), httpMethod, m.stack.Clerk.BackendURL()+path, bytes.NewReader(encoded))
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+m.stack.Clerk.SecretKey())
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		m.t.Fatalf("%s %s: answer %s", httpMethod, path, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(result); err != nil {
		m.t.Fatal(err)
	}
}

func (m *method) key(subject string, more object) key {
	m.t.Helper()
	body := object{"name": "ci key", "subject": subject}
	for k, v := range more {
		body[k] = v
	}
	var k key
	m.backendAPI(http.MethodPost, "/api_keys", body, &k)
	return k
}

func (m *method) organizationID(slug string) string {
	m.t.Helper()
	var o struct{ ID string }
	m.backendAPI(http.MethodGet, "/organizations/"+slug, nil, &o)
	return o.ID
}

func (m *method) alice() string { return m.stack.Clerk.UserID("alice@example.test") }
func (m *method) bob() string   { return m.stack.Clerk.UserID("bob@example.test") }

func TestLogin(t *testing.T) {
	m := newMethod(t)
	acme := m.organizationID("acme")
	m.must(logical.UpdateOperation, "role/app", object{"bound_organizations": acme, "bound_scopes": "db", "token_policies": "app", "token_ttl": "5m"})
	k := m.key(m.alice(), object{"scopes": []string{"db", "more"}})
	auth := m.must(logical.UpdateOperation, "login", object{"role": "app", "api_key": k.Secret}).Auth
	if auth.Alias.Name != m.alice() || auth.Alias.Metadata["org"] != acme || auth.Alias.Metadata["org_slug"] != "acme" || auth.Alias.Metadata["scopes"] != "db more" {
		t.Errorf("alias %+v", auth.Alias)
	}
	if !slices.Equal(auth.Policies, []string{"app"}) || auth.TTL != 5*time.Minute || !auth.Renewable {
		t.Errorf("policies %v, ttl %v, renewable %v", auth.Policies, auth.TTL, auth.Renewable)
	}
	whole, err := json.Marshal(auth)
	if err != nil || strings.Contains(string(whole), k.Secret) || strings.Contains(m.log.String(), k.Secret) {
		t.Errorf("%v, or the key's secret is in what is stored or logged", err)
	}
}

func TestWhoIsRefused(t *testing.T) {
	m := newMethod(t)
	acme := m.organizationID("acme")
	m.must(logical.UpdateOperation, "role/acme", object{"bound_organizations": acme, "token_policies": "x"})
	m.must(logical.UpdateOperation, "role/alice", object{"bound_subjects": m.alice(), "token_policies": "x"})
	m.must(logical.UpdateOperation, "role/scoped", object{"bound_scopes": "db,write", "token_policies": "x"})
	m.must(logical.UpdateOperation, "role/claims", object{"bound_claims": object{"env": []any{"ci", "dev"}, "tier": 3}, "token_policies": "x"})
	m.must(logical.UpdateOperation, "role/cidr", object{"bound_subjects": m.alice(), "token_bound_cidrs": "10.0.0.0/8"})
	plain := m.key(m.alice(), nil)
	gone := m.key(m.alice(), nil)
	m.backendAPI(http.MethodPost, "/api_keys/"+gone.ID+"/revoke", object{}, &struct{}{})
	expired := m.key(m.alice(), object{"seconds_until_expiration": 60})
	taken := func(role string, k key) {
		t.Helper()
		m.must(logical.UpdateOperation, "login", object{"role": role, "api_key": k.Secret})
	}
	taken("acme", plain)
	taken("acme", m.key(acme, nil)) // the organization's own
	taken("alice", expired)
	taken("scoped", m.key(m.bob(), object{"scopes": []string{"write", "db"}}))
	taken("claims", m.key(m.bob(), object{"claims": object{"env": "ci", "tier": 3}}))
	m.clock.Advance(2 * time.Minute)

	const notTaken = "the role doesn't take this API key"
	for _, test := range []struct {
		role, secret string
		status       int
		text         string
	}{
		{"acme", m.key(m.bob(), nil).Secret, 403, notTaken},                                   // of another organization
		{"acme", m.key(m.organizationID("globex"), nil).Secret, 403, notTaken},                // is another organization
		{"alice", m.key(m.bob(), nil).Secret, 403, notTaken},                                  // another subject
		{"scoped", plain.Secret, 403, notTaken},                                               // without scopes
		{"scoped", m.key(m.alice(), object{"scopes": []string{"db"}}).Secret, 403, notTaken},  // with one of two
		{"claims", plain.Secret, 403, notTaken},                                               // without claims
		{"claims", m.key(m.alice(), object{"claims": []string{"env"}}).Secret, 403, notTaken}, // claims that are a list
		{"claims", m.key(m.alice(), object{"claims": object{"env": "prod", "tier": 3}}).Secret, 403, notTaken},
		{"claims", m.key(m.alice(), object{"claims": object{"env": "ci", "tier": "3"}}).Secret, 403, notTaken},
		{"cidr", plain.Secret, 403, "from this address"},
		{"alice", gone.Secret, 403, "unknown there, revoked or has expired"},
		{"alice", expired.Secret, 403, "unknown there, revoked or has expired"},
		{"alice", "ak_planted", 403, "unknown there, revoked or has expired"},
		{"alice", plain.ID, 400, "is the id of a key"},
		{"alice", "sk_test_planted", 400, "begins with ak_"},
		{"alice", "", 400, "api_key is missing"},
		{"", plain.Secret, 400, "role is missing"},
		{"nobody", plain.Secret, 400, "there is no role"},
	} {
		m.refused(logical.UpdateOperation, "login", object{"role": test.role, "api_key": test.secret}, test.status, test.text)
	}
	if strings.Contains(m.log.String(), "planted") {
		t.Error("a key is in the log")
	}
}

func TestSeveralOrganizations(t *testing.T) {
	m := newMethod(t)
	acme, globex := m.organizationID("acme"), m.organizationID("globex")
	m.backendAPI(http.MethodPost, "/organizations/"+globex+"/memberships", object{"user_id": m.alice(), "role": "org:member"}, &struct{}{})
	m.must(logical.UpdateOperation, "role/both", object{"bound_organizations": acme + "," + globex, "token_policies": "x"})
	m.must(logical.UpdateOperation, "role/alice", object{"bound_subjects": m.alice(), "token_policies": "x"})
	k := m.key(m.alice(), nil)
	m.refused(logical.UpdateOperation, "login", object{"role": "both", "api_key": k.Secret}, 400, "give organization, one of org_")
	auth := m.must(logical.UpdateOperation, "login", object{"role": "both", "api_key": k.Secret, "organization": globex}).Auth
	if auth.Alias.Metadata["org_slug"] != "globex" {
		t.Errorf("response %v", auth.Alias.Metadata)
	}
	m.refused(logical.UpdateOperation, "login", object{"role": "both", "api_key": k.Secret, "organization": "org_other"}, 403, "doesn't take")
	m.refused(logical.UpdateOperation, "login", object{"role": "alice", "api_key": k.Secret, "organization": acme}, 400, "only for roles")
}

func TestAnswersAreBelievedForHalfAMinute(t *testing.T) {
	m := newMethod(t)
	m.must(logical.UpdateOperation, "role/alice", object{"bound_subjects": m.alice(), "token_policies": "x"})
	k := m.key(m.alice(), nil)
	login := func() int {
		_, status, _ := m.handle(logical.UpdateOperation, "login", object{"role": "alice", "api_key": k.Secret})
		return status
	}
	for range 20 {
		if status := login(); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
	}
	if len(m.calls) != 1 {
		t.Errorf("calls %v", m.calls)
	}
	m.backendAPI(http.MethodPost, "/api_keys/"+k.ID+"/revoke", object{}, &struct{}{})
	m.clock.Advance(29 * time.Second)
	if status := login(); status != http.StatusOK {
		t.Errorf("status %d within the half minute", status)
	}
	m.clock.Advance(time.Second)
	if status := login(); status != http.StatusForbidden {
		t.Errorf("status %d after it", status)
	}
}

func TestRenewal(t *testing.T) {
	m := newMethod(t)
	acme := m.organizationID("acme")
	write := func(more object) {
		t.Helper()
		data := object{"bound_organizations": acme, "token_policies": "x", "token_ttl": "5m", "token_max_ttl": "1h"}
		for k, v := range more {
			data[k] = v
		}
		m.must(logical.UpdateOperation, "role/app", data)
	}
	write(nil)
	k := m.key(m.alice(), nil)
	auth := m.must(logical.UpdateOperation, "login", object{"role": "app", "api_key": k.Secret}).Auth
	auth.TokenPolicies = auth.Policies // as the server fills it in
	renew := func() error {
		resp, err := m.HandleRequest(t.Context(), &logical.Request{Operation: logical.RenewOperation, Path: "login", Storage: m.storage, Auth: auth})
		if err == nil && (resp.Auth.TTL != 5*time.Minute || resp.Auth.MaxTTL != time.Hour) {
			t.Errorf("ttl %v, most %v", resp.Auth.TTL, resp.Auth.MaxTTL)
		}
		return err
	}
	want := func(text string) {
		t.Helper()
		err := renew()
		if text == "" && err != nil || text != "" && (err == nil || !strings.Contains(err.Error(), text)) {
			t.Errorf("renew = %v, want %q", err, text)
		}
	}
	want("")
	write(object{"token_policies": "y"})
	want("other policies")
	write(object{"bound_subjects": m.bob()})
	want("doesn't take")
	write(object{"bound_subjects": ""})
	want("")
	m.backendAPI(http.MethodPost, "/api_keys/"+k.ID+"/revoke", object{}, &struct{}{})
	want("revoked")
	m.must(logical.DeleteOperation, "role/app", nil)
	want("role that signed in is gone")
	m.must(logical.DeleteOperation, "config", nil)
	want("write config")
}

func TestCheck(t *testing.T) {
	m := newMethod(t)
	if got := m.must(logical.ReadOperation, "config/check", nil).Data; got["ok"] != true {
		t.Errorf("response %v", got)
	}
	other := devstacktest.Start(t, devstack.Options{})
	m.must(logical.UpdateOperation, "config", object{"instance": other.Clerk.PublishableKey()})
	if got := m.must(logical.ReadOperation, "config/check", nil).Data["problems"].([]string); len(got) != 1 || !strings.Contains(got[0], "of another instance") {
		t.Errorf("response %v", got)
	}
	m.must(logical.UpdateOperation, "config", object{"secret_key": "sk_test_planted"})
	if got := m.must(logical.ReadOperation, "config/check", nil).Data["problems"].([]string); len(got) != 1 || !strings.Contains(got[0], "refuses the auth method's secret key") {
		t.Errorf("response %v", got)
	}
	m.must(logical.UpdateOperation, "role/alice", object{"bound_subjects": m.alice()})
	m.refused(logical.UpdateOperation, "login", object{"role": "alice", "api_key": "ak_planted"}, 502, "an operator has to write a new one")
	m.must(logical.UpdateOperation, "config", object{"api_url": "http://127.0.0.1:1"})
	m.refused(logical.UpdateOperation, "login", object{"role": "alice", "api_key": "ak_planted"}, 503, "no answer of Clerk")
	data := m.must(logical.ReadOperation, "config", nil).Data
	if text, err := json.Marshal(data); err != nil || strings.Contains(string(text), "planted") {
		t.Errorf("%s, %v", text, err)
	}
}
