package secretsturso

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	core "github.com/zen-auth/zen/core/turso"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/turso"
)

// full returns an API token of the stack with full access, by name.
func (e *engine) full(name string) string {
	e.t.Helper()
	token, err := e.stack.Turso.CreateAPIToken("alice", turso.APIToken{Name: name})
	if err != nil {
		e.t.Fatal(err)
	}
	return token
}

// good reports whether Turso accepts an API token.
func (e *engine) good(token string) bool {
	e.t.Helper()
	c, err := e.clientWith(e.stack.URL(), token)
	if err != nil {
		e.t.Fatal(err)
	}
	_, err = c.Validate(e.t.Context())
	return err == nil
}

func (e *engine) stored() config {
	e.t.Helper()
	c, err := e.config(e.t.Context(), e.storage)
	if err != nil || c == nil {
		e.t.Fatalf("config: %v, %v", c, err)
	}
	return *c
}

func (e *engine) leftovers() int {
	e.t.Helper()
	ids, err := framework.ListWAL(e.t.Context(), e.storage)
	if err != nil {
		e.t.Fatal(err)
	}
	return len(ids)
}

// rollBack rolls the write-ahead log back, as the server does every minute.
func (e *engine) rollBack() error {
	e.t.Helper()
	resp, err := e.HandleRequest(e.t.Context(), &logical.Request{Operation: logical.RollbackOperation, Storage: e.storage, Data: object{"immediate": true}})
	if err == nil && resp.IsError() {
		err = resp.Error()
	}
	return err
}

func TestRotateRoot(t *testing.T) {
	e := configured(t)
	first := e.full("first")
	e.must(logical.UpdateOperation, "config", object{"api_token": first, "api_token_name": "first"})
	e.must(logical.UpdateOperation, "roles/app", object{"database": "app", "access": "rw"})
	before := e.must(logical.ReadOperation, "creds/app", nil)["token"].(string)

	resp := e.mustAs("", logical.UpdateOperation, "config/rotate-root", nil)
	if scopes := resp.Data["scopes"].([]core.Scope); !slices.Equal(scopes, []core.Scope{"db:mint-token", "read"}) || len(resp.Warnings) > 0 {
		t.Errorf("scopes %v, warnings %v", scopes, resp.Warnings)
	}
	second := e.stored()
	if second.APIToken == first || !strings.HasPrefix(second.APITokenName, "openbao-") || e.good(first) || !e.good(second.APIToken) {
		t.Errorf("the first is good: %v, the second %s: %v", e.good(first), second.APITokenName, e.good(second.APIToken))
	}
	if err := e.opens(before, "SELECT 1"); err != nil {
		t.Errorf("a token of before: %v", err)
	}
	e.must(logical.ReadOperation, "creds/app", nil)

	// An API token with scopes can't create another one.
	e.refused(logical.UpdateOperation, "config/rotate-root", nil, http.StatusBadGateway, "give api_token, one with full access")
	if e.leftovers() != 0 || e.stored() != second {
		t.Error("a refused rotation left something behind")
	}
	e.must(logical.UpdateOperation, "roles/own", object{"database": "app", "revoke": "rotate"})
	e.must(logical.UpdateOperation, "roles/all", object{"group": "default", "confirm_group": "default"})
	admin := e.full("admin")
	data := e.must(logical.UpdateOperation, "config/rotate-root", object{"api_token": admin})
	if scopes := data["scopes"].([]core.Scope); !slices.Equal(scopes, []core.Scope{"db:mint-token", "db:rotate-creds", "group:mint-token", "read"}) {
		t.Errorf("scopes %v", scopes)
	}
	if third := e.stored(); e.good(second.APIToken) || !e.good(third.APIToken) || third.APIToken == admin || !e.good(admin) {
		t.Error("want the second API token revoked, and the administrator's neither revoked nor stored")
	}
	if e.leftovers() != 0 {
		t.Error("the write-ahead log isn't empty")
	}
}

func TestRotateRootWithoutTheOldName(t *testing.T) {
	e := configured(t)
	admin := object{"api_token": e.full("admin")}
	resp := e.mustAs("", logical.UpdateOperation, "config/rotate-root", admin)
	if len(resp.Warnings) != 1 || !strings.Contains(resp.Warnings[0], "stays good") || !e.good(e.stack.APIToken()) {
		t.Errorf("warnings %v", resp.Warnings)
	}
	e.must(logical.UpdateOperation, "config", object{"group": ""})
	e.refused(logical.UpdateOperation, "config/rotate-root", nil, http.StatusBadRequest, "config has no group")
	e.must(logical.UpdateOperation, "config", object{"group": "nowhere"})
	e.refused(logical.UpdateOperation, "config/rotate-root", admin, http.StatusNotFound, "group")
	e.refused(logical.UpdateOperation, "config/rotate-root", object{"api_token": "sk_planted"}, http.StatusBadRequest, "a key of Clerk's")
}

// failing is a storage that stops writing one key.
type failing struct {
	logical.Storage
	key string
}

var errStorage = errors.New("cannot write to readonly storage")

func (s failing) Put(ctx context.Context, entry *logical.StorageEntry) error {
	if entry.Key == s.key {
		return errStorage
	}
	return s.Storage.Put(ctx, entry)
}

// TestLeftoversAreRevoked interrupts a rotation before the new API token is stored, and
// before the old one is revoked.
func TestLeftoversAreRevoked(t *testing.T) {
	e := configured(t)
	first := e.full("first")
	e.must(logical.UpdateOperation, "config", object{"api_token": first, "api_token_name": "first"})
	storage := e.storage
	e.storage = failing{storage, configKey}
	if _, _, err := e.handle(logical.UpdateOperation, "config/rotate-root", nil); !strings.Contains(err.Error(), errStorage.Error()) {
		t.Fatal(err)
	}
	e.storage = storage
	if got := e.leftovers(); got != 2 || !e.good(first) {
		t.Fatalf("%d entries, the first is good: %v", got, e.good(first))
	}
	if err := e.rollBack(); err != nil {
		t.Fatal(err)
	}
	if names := e.apiTokens(first); e.leftovers() != 0 || slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, "openbao-") }) || !slices.Contains(names, "first") {
		t.Errorf("left: %d entries, API tokens %v", e.leftovers(), names)
	}
	e.must(logical.UpdateOperation, "roles/app", object{"database": "app"})
	e.must(logical.ReadOperation, "creds/app", nil)

	// An entry for an API token that is in use after all is dropped.
	if _, err := e.record(t.Context(), e.storage, walNew, leftover{Name: "first", Revoker: first, APIURL: e.stack.URL()}); err != nil {
		t.Fatal(err)
	}
	if err := e.rollBack(); err != nil || e.leftovers() != 0 || !e.good(first) {
		t.Errorf("rollBack = %v, %d entries, the first is good: %v", err, e.leftovers(), e.good(first))
	}
	// One that can't be revoked is logged once.
	if _, err := e.record(t.Context(), e.storage, walOld, leftover{Name: "gone", Revoker: "wrong", APIURL: e.stack.URL()}); err != nil {
		t.Fatal(err)
	}
	if err := e.rollBack(); err != nil || e.leftovers() != 0 || !strings.Contains(e.log.String(), "an API token is left over") {
		t.Errorf("rollBack = %v, %d entries, log %s", err, e.leftovers(), e.log)
	}
	// One that can't be reached stays.
	if _, err := e.record(t.Context(), e.storage, walOld, leftover{Name: "gone", Revoker: first, APIURL: "http://127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	if err := e.rollBack(); err == nil || e.leftovers() != 1 {
		t.Errorf("rollBack = %v, %d entries", err, e.leftovers())
	}
	if strings.Contains(e.log.String(), first) {
		t.Error("an API token is in the log")
	}
}

func (e *engine) apiTokens(token string) []string {
	e.t.Helper()
	req, err := http.NewRequestWithContext(e.t.Context(), http.MethodGet, e.stack.URL()+"/v1/auth/api-tokens", nil)
	if err != nil {
		e.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Tokens []struct{ Name string } }
	decodeJSON(e.t, resp.Body, &answer)
	var names []string
	for _, t := range answer.Tokens {
		names = append(names, t.Name)
	}
	return names
}

// TestRotateRootUnderLoad checks that no caller notices a rotation of the API token.
func TestRotateRootUnderLoad(t *testing.T) {
	e := configured(t)
	e.must(logical.UpdateOperation, "config", object{"api_token": e.full("first"), "api_token_name": "first"})
	e.must(logical.UpdateOperation, "roles/app", object{"database": "app"})
	ctx, stop := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for ctx.Err() == nil {
				if _, status, err := e.handle(logical.ReadOperation, "creds/app", nil); status != http.StatusOK {
					t.Errorf("status %d, %v", status, err)
					return
				}
			}
		})
	}
	admin := object{"api_token": e.full("admin")}
	for range 5 {
		e.must(logical.UpdateOperation, "config/rotate-root", admin)
	}
	stop()
	callers.Wait()
}

func TestRevocation(t *testing.T) {
	clock := devstack.NewClock(time.Now().Truncate(time.Second))
	e := configuredAt(t, clock.Now)
	e.must(logical.UpdateOperation, "roles/app", object{"database": "app"})
	e.must(logical.UpdateOperation, "roles/own", object{"database": "app", "revoke": "rotate"})
	revoke := func(resp *logical.Response) *logical.Response {
		t.Helper()
		for key, value := range resp.Secret.InternalData { // as it comes back from storage
			if number, ok := value.(int64); ok {
				resp.Secret.InternalData[key] = float64(number)
			}
		}
		out, err := e.HandleRequest(t.Context(), &logical.Request{Operation: logical.RevokeOperation, Storage: e.storage, Secret: resp.Secret})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	plain := e.mustAs("", logical.ReadOperation, "creds/app", nil)
	if out := revoke(plain); out == nil || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "can't revoke a single token") {
		t.Errorf("revoke = %+v", out)
	}
	if !strings.Contains(e.log.String(), "can't revoke a single token") {
		t.Error("the log doesn't say so")
	}
	token := plain.Data["token"].(string)
	if err := e.opens(token, "SELECT 1"); err != nil {
		t.Error(err)
	}
	own, other := e.mustAs("", logical.ReadOperation, "creds/own", nil), e.mustAs("", logical.ReadOperation, "creds/own", nil)
	clock.Advance(2 * time.Second) // later than they were made
	revoke(own)
	if err := e.opens(token, "SELECT 1"); err == nil {
		t.Error("a role's database was not rotated")
	}
	clock.Advance(2 * time.Second) // Turso refuses tokens from the second of a rotation
	fresh := e.mustAs("", logical.ReadOperation, "creds/own", nil)
	revoke(other) // was revoked with the first one
	if err := e.opens(fresh.Data["token"].(string), "SELECT 1"); err != nil {
		t.Errorf("more than one rotation for earlier leases: %v", err)
	}
	clock.Advance(20 * time.Minute) // an expired lease has nothing to revoke
	still := e.mustAs("", logical.ReadOperation, "creds/app", nil).Data["token"].(string)
	clock.Advance(2 * time.Second)
	revoke(fresh)
	if err := e.opens(still, "SELECT 1"); err != nil {
		t.Error(err)
	}
}
