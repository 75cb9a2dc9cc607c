package turso_test

import (
	"errors"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/turso"
)

func TestAPITokens(t *testing.T) {
	c := serve(t,
		exchange{
			request: "POST /v2/auth/api-tokens/openbao-1", body: `{"organization":"acme","group":"default","scopes":["read","db:mint-token"]}`,
			answer: `{"token":{"name":"openbao-1","id":"42","value":"new-token"}}`,
		},
		exchange{request: "POST /v2/auth/api-tokens/mine", body: `{}`, answer: `{"token":{"name":"mine","id":"43"}}`},
		exchange{request: "DELETE /v1/auth/api-tokens/openbao-0", answer: `{"token":"openbao-0"}`},
		exchange{request: "DELETE /v1/auth/api-tokens/gone", status: 404, answer: `{"error":"api token gone not found"}`},
		exchange{request: "GET /v1/auth/api-tokens", answer: `{"tokens":[{"name":"ci","id":"44"}]}`},
		exchange{request: "GET /v1/organizations/acme/groups", answer: `{"groups":[{"name":"default","uuid":"g-1"}]}`},
	)
	got, err := c.CreateAPIToken(t.Context(), "openbao-1", turso.APITokenOptions{
		Organization: "acme", Group: "default", Scopes: []turso.Scope{turso.ScopeRead, turso.ScopeMintToken},
	})
	if want := (turso.APIToken{Name: "openbao-1", ID: "42", Value: "new-token"}); err != nil || got != want {
		t.Errorf("CreateAPIToken = %+v, %v", got, err)
	}
	if _, err := c.CreateAPIToken(t.Context(), "mine", turso.APITokenOptions{}); err == nil {
		t.Error("an answer without the token was accepted")
	}
	if err := c.RevokeAPIToken(t.Context(), "openbao-0"); err != nil {
		t.Error(err)
	}
	var e *turso.Error
	if err := c.RevokeAPIToken(t.Context(), "gone"); !errors.As(err, &e) || e.Status != 404 {
		t.Errorf("RevokeAPIToken of a missing token: %v, want status 404", err)
	}
	if list, err := c.APITokens(t.Context()); err != nil || len(list) != 1 || list[0].Name != "ci" {
		t.Errorf("APITokens = %+v, %v", list, err)
	}
	if groups, err := c.Groups(t.Context(), "acme"); err != nil || len(groups) != 1 || groups[0].Name != "default" {
		t.Errorf("Groups = %+v, %v", groups, err)
	}
	if err := c.RevokeAPIToken(t.Context(), "../x"); !errors.Is(err, turso.ErrBadArgument) {
		t.Errorf("RevokeAPIToken of a path: %v, want ErrBadArgument", err)
	}
}

func TestGroupTokens(t *testing.T) {
	c := serve(t,
		exchange{request: "GET /v1/organizations/acme/groups/default", answer: `{"group":{"uuid":"g-1","name":"default","locations":["ams"]}}`},
		exchange{request: "GET /v1/organizations/acme/groups/empty", answer: `{"group":{"name":"empty"}}`},
		exchange{
			request: "POST /v1/organizations/acme/groups/default/auth/tokens?authorization=read-only&expiration=15m",
			body:    `{}`, answer: `{"jwt":"a.b.c"}`,
		},
	)
	if got, err := c.Group(t.Context(), "acme", "default"); err != nil || got != (turso.Group{Name: "default", ID: "g-1"}) {
		t.Errorf("Group = %+v, %v", got, err)
	}
	if _, err := c.Group(t.Context(), "acme", "empty"); err == nil {
		t.Error("a group without its ID was accepted")
	}
	o := turso.TokenOptions{Expiration: 15 * time.Minute, Authorization: turso.ReadOnly}
	if got, err := c.CreateGroupToken(t.Context(), "acme", "default", o); err != nil || got != "a.b.c" {
		t.Errorf("CreateGroupToken = %q, %v", got, err)
	}
	if _, err := c.CreateGroupToken(t.Context(), "acme", "a/b", o); !errors.Is(err, turso.ErrBadArgument) {
		t.Errorf("CreateGroupToken of a path: %v, want ErrBadArgument", err)
	}
}
