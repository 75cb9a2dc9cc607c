package secretsturso

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/sdk/logical"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/devstack/turso"
)

// engine is a mount of the backend with in-memory storage and a Turso.
type engine struct {
	*backend
	t       *testing.T
	stack   *devstack.Stack
	storage logical.Storage
	system  *logical.StaticSystemView
	log     *bytes.Buffer
}

func newEngine(t *testing.T, stack *devstack.Stack) *engine {
	t.Helper()
	e := &engine{backend: newBackend(), t: t, stack: stack, storage: &logical.InmemStorage{}, log: &bytes.Buffer{}}
	e.system = logical.TestSystemView()
	e.system.DefaultLeaseTTLVal, e.system.MaxLeaseTTLVal = time.Hour, 24*time.Hour
	err := e.Setup(t.Context(), &logical.BackendConfig{
		System: e.system, StorageView: e.storage, Logger: hclog.New(&hclog.LoggerOptions{Output: e.log, Level: hclog.Debug}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Cleanup(context.Background()) })
	return e
}

// configured returns an engine that has the stack's API token.
func configured(t *testing.T) *engine {
	t.Helper()
	return configuredAt(t, nil)
}

// configuredAt is an engine with the test's own clock, which its Turso shares.
func configuredAt(t *testing.T, now func() time.Time) *engine {
	t.Helper()
	e := newEngine(t, devstacktest.Start(t, devstack.Options{Now: now}))
	if now != nil {
		e.now = now
	}
	e.must(logical.UpdateOperation, "config", object{"api_token": e.stack.APIToken(), "organization": "acme", "api_url": e.stack.URL(), "group": "default"})
	return e
}

type object = map[string]any

// handle makes a request, and returns the HTTP status of the server's response.
func (e *engine) handle(op logical.Operation, path string, data object) (*logical.Response, int, error) {
	return e.as("", op, path, data)
}

func (e *engine) as(entity string, op logical.Operation, path string, data object) (*logical.Response, int, error) {
	req := &logical.Request{Operation: op, Path: path, Data: data, Storage: e.storage, EntityID: entity}
	if op == logical.UpdateOperation {
		if checked, exists, _ := e.HandleExistenceCheck(e.t.Context(), req); checked && !exists {
			req.Operation = logical.CreateOperation
		}
	}
	resp, err := e.HandleRequest(e.t.Context(), req)
	if err == nil && resp != nil && !resp.IsError() && op == logical.ReadOperation && resp.Data == nil {
		e.t.Errorf("%s %s: an answer without data", op, path)
	}
	status, respErr := logical.RespondErrorCommon(req, resp, err)
	if respErr != nil {
		logical.AdjustErrorStatusCode(&status, err)
	}
	if status == 0 {
		status = http.StatusOK
	}
	return resp, status, respErr
}

// must makes a request that has to succeed, and returns its data.
func (e *engine) must(op logical.Operation, path string, data object) object {
	e.t.Helper()
	return e.mustAs("", op, path, data).Data
}

func (e *engine) mustAs(entity string, op logical.Operation, path string, data object) *logical.Response {
	e.t.Helper()
	resp, status, err := e.as(entity, op, path, data)
	if status != http.StatusOK {
		e.t.Fatalf("%s %s: status %d, %v", op, path, status, err)
	}
	if resp == nil {
		resp = &logical.Response{}
	}
	return resp
}

// refused makes a request that has to fail with the status and text.
func (e *engine) refused(op logical.Operation, path string, data object, status int, text string) {
	e.t.Helper()
	_, got, err := e.handle(op, path, data)
	if got != status || err == nil || !strings.Contains(err.Error(), text) || strings.ContainsAny(err.Error(), "\n\x1b") {
		e.t.Errorf("%s %s: status %d, %v; want %d with %q", op, path, got, err, status, text)
	}
}

// opens checks at the database itself what a token allows.
func (e *engine) opens(token, sql string) error {
	e.t.Helper()
	body := strings.NewReader(`{"requests":[{"type":"execute","stmt":{"sql":"` + sql + `"}}]}`)
	req, err := http.NewRequestWithContext(e.t.Context(), http.MethodPost, e.stack.DatabaseURL()+"/v2/pipeline", body)
	if err != nil {
		e.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(resp.Body); err != nil {
		e.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || strings.Contains(answer.String(), `"type":"error"`) {
		return errors.New(resp.Status + " " + answer.String())
	}
	return nil
}

func TestCredentials(t *testing.T) {
	e := configured(t)
	e.must(logical.UpdateOperation, "roles/app", object{"database": "app", "access": "rw"})
	resp := e.mustAs("", logical.ReadOperation, "creds/app", nil)
	data := resp.Data
	want := object{"database": "app", "database_id": e.stack.DatabaseID(), "access": "rw", "organization": "acme", "url": "libsql://" + strings.TrimPrefix(e.stack.DatabaseURL(), "http://")}
	for key, want := range want {
		if data[key] != want {
			t.Errorf("%s is %v, want %v", key, data[key], want)
		}
	}
	if err := e.opens(data["token"].(string), "CREATE TABLE notes (id INTEGER)"); err != nil {
		t.Error(err)
	}
	expires, err := time.Parse(time.RFC3339, data["expires"].(string))
	if err != nil {
		t.Fatal(err)
	}
	lease := resp.Secret
	if lease.Renewable || lease.TTL > 15*time.Minute || lease.TTL < 14*time.Minute || time.Until(expires) < lease.TTL-time.Minute {
		t.Errorf("lease of %v, renewable %v, and the token ends %v", lease.TTL, lease.Renewable, expires)
	}
	for key, value := range lease.InternalData {
		if value == data["token"] {
			t.Errorf("the lease keeps the token as %s", key)
		}
	}
	// A request may ask for less than the role allows, but not for more.
	ro := e.must(logical.ReadOperation, "creds/app", object{"access": "ro", "permissions": []string{"notes:data_read"}, "ttl": "1m"})
	if err := e.opens(ro["token"].(string), "SELECT * FROM notes"); err != nil {
		t.Error(err)
	}
	if err := e.opens(ro["token"].(string), "INSERT INTO notes VALUES (1)"); err == nil {
		t.Error("a read-only token can write")
	}
}

func TestLimitsOfARole(t *testing.T) {
	e := configured(t)
	e.must(logical.UpdateOperation, "roles/reader", object{"database": "app", "permissions": []string{"notes:data_read", "other:data_read,data_add"}, "ttl": 60, "max_ttl": 120})
	e.must(logical.UpdateOperation, "roles/long", object{"database": "app", "max_ttl": "2h"})
	e.must(logical.UpdateOperation, "roles/longer", object{"database": "app", "ttl": "1h"})
	for name, test := range map[string]struct {
		role string
		ask  object
		want time.Duration
	}{
		"the role's own":            {"reader", nil, time.Minute},
		"less than the role's":      {"reader", object{"ttl": 30}, 30 * time.Second},
		"up to the role's most":     {"reader", object{"ttl": 600}, 2 * time.Minute},
		"a quarter of an hour":      {"long", nil, 15 * time.Minute},
		"more, as the role says":    {"long", object{"ttl": "1h"}, time.Hour},
		"more than the role's most": {"long", object{"ttl": "5h"}, 2 * time.Hour},
		"a ttl above the default":   {"longer", nil, time.Hour},
	} {
		got := e.mustAs("", logical.ReadOperation, "creds/"+test.role, test.ask).Secret.TTL
		if got > test.want || got <= test.want/2 {
			t.Errorf("%s: mustAs = %v, want %v", name, got, test.want)
		}
	}
	e.system.MaxLeaseTTLVal, e.system.DefaultLeaseTTLVal = 10*time.Minute, 5*time.Minute
	if got := e.mustAs("", logical.ReadOperation, "creds/long", object{"ttl": "1h"}).Secret.TTL; got > 10*time.Minute {
		t.Errorf("with the mount's limit: %v", got)
	}
	if got := e.mustAs("", logical.ReadOperation, "creds/long", nil).Secret.TTL; got > 5*time.Minute {
		t.Errorf("the mount's default: %v", got)
	}
	for text, ask := range map[string]object{
		"allows less than was asked for: access ro": {"access": "rw"},
		"other:data_read,data_add":                  {"permissions": []string{"all:data_read"}},
		"permissions notes:data_read":               {"permissions": []string{"notes:data_add"}},
	} {
		e.refused(logical.ReadOperation, "creds/reader", ask, http.StatusForbidden, text)
	}
	e.refused(logical.ReadOperation, "creds/reader", object{"access": "root"}, http.StatusBadRequest, `access "root" is not ro or rw`)
	e.refused(logical.ReadOperation, "creds/reader", object{"permissions": []string{"notes"}}, http.StatusBadRequest, "is not TABLE:ACTION")
	e.refused(logical.ReadOperation, "creds/reader", object{"ttl": -1}, http.StatusBadRequest, "ttl")
}

func TestOneDatabaseATenant(t *testing.T) {
	e := configured(t)
	for _, tenant := range []string{"app-acme", "app-globex"} {
		if _, err := e.stack.Turso.CreateDatabase("acme", tenant); err != nil {
			t.Fatal(err)
		}
	}
	e.must(logical.UpdateOperation, "roles/tenant", object{"database": "app-{{identity.entity.metadata.org}}"})
	entity := func(org string) {
		e.system.EntityVal = &logical.Entity{ID: "e1", Name: "alice", Metadata: map[string]string{"org": org}}
		if org == "" {
			e.system.EntityVal.Metadata = nil
		}
	}
	for _, org := range []string{"acme", "globex"} {
		entity(org)
		if got := e.mustAs("e1", logical.ReadOperation, "creds/tenant", nil).Data["database"]; got != "app-"+org {
			t.Errorf("%s gets %v", org, got)
		}
	}
	for org, want := range map[string]string{"": "has nothing for the template", "../acme": "no database's name", "ACME": "no database's name", "a/b": "no database's name", "a\nb": "no database's name"} {
		entity(org)
		_, status, err := e.as("e1", logical.ReadOperation, "creds/tenant", nil)
		if status != http.StatusForbidden || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: status %d, %v", org, status, err)
		}
	}
	entity("umbrella")
	if _, status, err := e.as("e1", logical.ReadOperation, "creds/tenant", nil); status != http.StatusNotFound || !strings.Contains(err.Error(), "app-umbrella") {
		t.Errorf("status %d, %v", status, err)
	}
	e.refused(logical.ReadOperation, "creds/tenant", nil, http.StatusForbidden, "the token that asks has none")
}

func TestGroup(t *testing.T) {
	e := configured(t)
	e.must(logical.UpdateOperation, "roles/all", object{"group": "default", "confirm_group": "default", "permissions": []string{"all:data_read"}})
	data := e.must(logical.ReadOperation, "creds/all", nil)
	if data["group"] != "default" || data["database"] != nil {
		t.Errorf("response %v", data)
	}
	if err := e.opens(data["token"].(string), "SELECT 1"); err != nil {
		t.Error(err)
	}
}

func TestDatabaseThatWasMadeAnew(t *testing.T) {
	e := configured(t)
	db, err := e.stack.Turso.CreateDatabase("acme", "temp")
	if err != nil {
		t.Fatal(err)
	}
	e.must(logical.UpdateOperation, "roles/temp", object{"database": "temp"})
	if got := e.must(logical.ReadOperation, "creds/temp", nil)["database_id"]; got != db.ID {
		t.Errorf("response %v, want %s", got, db.ID)
	}
	e.api(http.MethodDelete, "/v1/organizations/acme/databases/temp")
	e.refused(logical.ReadOperation, "creds/temp", nil, http.StatusNotFound, "temp")
	if db, err = e.stack.Turso.CreateDatabase("acme", "temp"); err != nil {
		t.Fatal(err)
	}
	if got := e.must(logical.ReadOperation, "creds/temp", nil)["database_id"]; got != db.ID {
		t.Errorf("response %v, want %s", got, db.ID)
	}
}

// api makes a request with the stack's own API token.
func (e *engine) api(method, path string) {
	e.t.Helper()
	req, err := http.NewRequestWithContext(e.t.Context(), method, e.stack.URL()+path, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+e.stack.APIToken())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		e.t.Fatalf("%s %s: %s", method, path, resp.Status)
	}
}

func TestRolesAreListedAndDeleted(t *testing.T) {
	e := configured(t)
	if _, status, _ := e.handle(logical.ListOperation, "roles/", nil); status != http.StatusNotFound {
		t.Errorf("status %d for no roles", status)
	}
	e.must(logical.UpdateOperation, "roles/b", object{"database": "app", "access": "rw", "revoke": "rotate"})
	e.must(logical.UpdateOperation, "roles/a", object{"database": "app"})
	e.must(logical.UpdateOperation, "roles/b", object{"ttl": "5m"}) // the rest stays
	if got := e.must(logical.ReadOperation, "roles/b", nil); got["access"] != "rw" || got["revoke"] != "rotate" || got["ttl"] != int64(300) {
		t.Errorf("response %v", got)
	}
	if got := e.must(logical.ListOperation, "roles/", nil)["keys"].([]string); strings.Join(got, " ") != "a b" {
		t.Errorf("response %v", got)
	}
	e.must(logical.DeleteOperation, "roles/b", nil)
	if _, status, _ := e.handle(logical.ReadOperation, "roles/b", nil); status != http.StatusNotFound {
		t.Errorf("status %d", status)
	}
	e.refused(logical.ReadOperation, "creds/b", nil, http.StatusBadRequest, "there is no role b")
	// Names are case-sensitive: another spelling is another role.
	e.refused(logical.ReadOperation, "creds/A", nil, http.StatusBadRequest, "there is no role A")
}

func TestConfigNeverTellsTheToken(t *testing.T) {
	e := configured(t)
	data := e.must(logical.ReadOperation, "config", nil)
	for key, value := range data {
		if text, _ := value.(string); strings.Contains(text, e.stack.APIToken()) {
			t.Errorf("%s has the API token", key)
		}
	}
	if data["organization"] != "acme" || data["api_url"] != e.stack.URL() {
		t.Errorf("response %v", data)
	}
	e.must(logical.UpdateOperation, "config", object{"group": "other"}) // the rest stays
	if got := e.must(logical.ReadOperation, "config", nil)["organization"]; got != "acme" {
		t.Errorf("response %v", got)
	}
	e.must(logical.DeleteOperation, "config", nil)
	if _, status, _ := e.handle(logical.ReadOperation, "config", nil); status != http.StatusNotFound {
		t.Errorf("status %d", status)
	}
	for _, path := range []string{"creds/app", "config/check"} {
		e.must(logical.UpdateOperation, "roles/app", object{"database": "app"})
		e.refused(logical.ReadOperation, path, nil, http.StatusBadRequest, "write config")
	}
	e.refused(logical.UpdateOperation, "config/rotate-root", nil, http.StatusBadRequest, "write config")
}

func TestCheck(t *testing.T) {
	e := configured(t)
	e.must(logical.UpdateOperation, "roles/app", object{"database": "app"})
	if got := e.must(logical.ReadOperation, "config/check", nil); got["ok"] != true {
		t.Errorf("response %v", got)
	}
	e.must(logical.UpdateOperation, "roles/none", object{"database": "none"})
	got := e.must(logical.ReadOperation, "config/check", nil)
	if problems := got["problems"].([]string); got["ok"] != false || len(problems) != 1 || !strings.HasPrefix(problems[0], "role none: ") {
		t.Errorf("response %v", got)
	}
	e.must(logical.UpdateOperation, "config", object{"api_token": "wrong"})
	if problems := e.must(logical.ReadOperation, "config/check", nil)["problems"].([]string); len(problems) != 1 || !strings.Contains(problems[0], "invalid api token") {
		t.Errorf("response %v", problems)
	}
}

func TestFailuresOfTurso(t *testing.T) {
	e := configured(t)
	e.must(logical.UpdateOperation, "roles/app", object{"database": "app"})
	limited, err := e.stack.Turso.CreateAPIToken("alice", turso.APIToken{Name: "reads", Organization: "acme", Scopes: []string{"read"}})
	if err != nil {
		t.Fatal(err)
	}
	e.must(logical.UpdateOperation, "config", object{"api_token": limited})
	e.refused(logical.ReadOperation, "creds/app", nil, http.StatusBadGateway, "does not have the scope db:mint-token")
	e.must(logical.UpdateOperation, "config", object{"api_token": "planted-token"})
	e.refused(logical.ReadOperation, "creds/app", nil, http.StatusBadGateway, "config/rotate-root or config mends it")
	if strings.Contains(e.log.String(), "planted") {
		t.Error("the API token is in the log")
	}
	e.must(logical.UpdateOperation, "config", object{"api_token": e.stack.APIToken()})
	if err := e.stack.Faults.Switch("api-down", true); err != nil {
		t.Fatal(err)
	}
	e.refused(logical.ReadOperation, "creds/app", nil, http.StatusServiceUnavailable, "turso: get the database")
	if err := e.stack.Faults.Switch("api-down", false); err != nil {
		t.Fatal(err)
	}
	e.must(logical.UpdateOperation, "config", object{"api_url": "http://127.0.0.1:1"})
	e.refused(logical.ReadOperation, "creds/app", nil, http.StatusServiceUnavailable, "connection refused")
}

func decodeJSON(t *testing.T, r io.Reader, v any) {
	t.Helper()
	if err := json.NewDecoder(r).Decode(v); err != nil {
		t.Fatal(err)
	}
}

// noStorage is a storage that fails: a token must not need it.
type noStorage struct{ logical.Storage }

func (noStorage) Get(context.Context, string) (*logical.StorageEntry, error) {
	return nil, errors.New("the storage is asked")
}

func (noStorage) Put(context.Context, *logical.StorageEntry) error {
	return errors.New("the storage is written to")
}

// Each storage access is a call from the plugin back to the server: after the first
// token, no token makes any.
func TestATokenAsksTheServerForNothing(t *testing.T) {
	e := configured(t)
	e.must(logical.UpdateOperation, "roles/app", object{"database": "app"})
	e.must(logical.ReadOperation, "creds/app", nil)
	e.storage = noStorage{}
	if data := e.must(logical.ReadOperation, "creds/app", nil); data["token"] == "" {
		t.Errorf("response %v", data)
	}
	if _, status, err := e.handle(logical.ReadOperation, "roles/app", nil); status == http.StatusOK {
		t.Errorf("reading a role doesn't use the storage: %d, %v", status, err)
	}
}
