package turso

import (
	"context"
	"net/http"
)

// Scope is a right of an API token. A token without scopes may do everything.
type Scope string

// The scopes that minting and rotating take, of those that turso-cli knows
// (internal/turso/apitoken_scope.go).
const (
	ScopeRead           Scope = "read"
	ScopeMintToken      Scope = "db:mint-token"
	ScopeRotate         Scope = "db:rotate-creds"
	ScopeMintGroupToken Scope = "group:mint-token"
)

// APITokenOptions limit an API token.
type APITokenOptions struct {
	// Organization and Group, by slug and name; "" means no limit. A group needs an
	// organization.
	Organization string
	Group        string
	Scopes       []Scope
}

// APIToken is a new API token.
type APIToken struct {
	// Name revokes the token. ID is Turso's.
	Name string
	ID   string
	// Value is the token, a secret; this answer is the only one that has it.
	Value string
}

// CreateAPIToken makes an API token of the same user.
func (c *Client) CreateAPIToken(ctx context.Context, name string, o APITokenOptions) (APIToken, error) {
	const op = "create an API token"
	segment, err := escape(op, "API token", name)
	if err != nil {
		return APIToken{}, err
	}
	body := struct {
		Organization string  `json:"organization,omitempty"`
		Group        string  `json:"group,omitempty"`
		Scopes       []Scope `json:"scopes,omitempty"`
	}{o.Organization, o.Group, o.Scopes}
	var answer struct{ Token APIToken }
	err = c.do(ctx, call{op: op, method: http.MethodPost, path: "/v2/auth/api-tokens/" + segment, body: body}, &answer)
	if err == nil && answer.Token.Value == "" {
		err = incomplete(op, "value")
	}
	return answer.Token, err
}

// APITokens lists the API tokens of the user, without their values. It takes one that may
// do everything.
func (c *Client) APITokens(ctx context.Context) ([]APIToken, error) {
	var answer struct{ Tokens []APIToken }
	err := c.do(ctx, call{op: "list API tokens", method: http.MethodGet, path: "/v1/auth/api-tokens"}, &answer)
	return answer.Tokens, err
}

// RevokeAPIToken ends an API token of the same user, by its name.
func (c *Client) RevokeAPIToken(ctx context.Context, name string) error {
	const op = "revoke the API token"
	segment, err := escape(op, "API token", name)
	if err != nil {
		return err
	}
	return c.do(ctx, call{op: op, method: http.MethodDelete, path: "/v1/auth/api-tokens/" + segment}, nil)
}
