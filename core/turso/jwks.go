package turso

import (
	"context"
	"encoding/json"
	"net/http"
)

// KeySet is a registration: tokens that a key of its JWK Set signed are accepted by
// the organization's databases.
type KeySet struct {
	Name string `json:"jwks_name"`
	URL  string `json:"jwks_url"`
	// Region is where the registration counts; "" if none was given, or where Turso
	// doesn't list it.
	Region string `json:"region,omitempty"`
}

// KeySets lists the registrations of an organization.
func (c *Client) KeySets(ctx context.Context, org string) ([]KeySet, error) {
	const op = "list key sets"
	slug, err := c.slug(ctx, op, org)
	if err != nil {
		return nil, err
	}
	var answer struct{ JWKS []KeySet }
	err = c.do(ctx, call{op: op, method: http.MethodGet, path: "/v2/organizations/" + slug + "/jwks"}, &answer)
	return answer.JWKS, err
}

// SaveKeySet registers a key set, or replaces the one of that name. An
// organization may have few: two on the starter plan.
func (c *Client) SaveKeySet(ctx context.Context, org string, set KeySet) error {
	body := map[string]string{"jwks_url": set.URL, "region": set.Region}
	return c.changeKeySet(ctx, "save the key set", http.MethodPut, org, set.Name, body)
}

// RemoveKeySet removes a registration of a region, "" being what was saved without one.
// Turso answers 500 if there are more of them than the plan allows, and keeps all; an
// answer of 200 is to be believed only once [Client.KeySets] lacks it.
func (c *Client) RemoveKeySet(ctx context.Context, org, name, region string) error {
	// The body is required, unusual as it is for DELETE.
	return c.changeKeySet(ctx, "remove the key set", http.MethodDelete, org, name, map[string]string{"region": region})
}

func (c *Client) changeKeySet(ctx context.Context, op, method, org, name string, body any) error {
	segment, err := escapeAny(op, "key set", name)
	if err != nil {
		return err
	}
	slug, err := c.slug(ctx, op, org)
	if err != nil {
		return err
	}
	return c.do(ctx, call{op: op, method: method, path: "/v2/organizations/" + slug + "/jwks/" + segment, body: body}, nil)
}

// TemplateOptions say which claims a JWT template has to carry.
type TemplateOptions struct {
	// Database or Group, by name; "" means none, which gives access to everything.
	Database      string
	Group         string
	Authorization Authorization
	Permissions   []Permission
}

// Template returns the claims that an identity provider has to put into its
// tokens, as the JSON that the API answered: {"a":"rw","id":"...","rid":"..."}.
func (c *Client) Template(ctx context.Context, org string, o TemplateOptions) (json.RawMessage, error) {
	const op = "get the JWT template"
	slug, err := c.slug(ctx, op, org)
	if err != nil {
		return nil, err
	}
	if o.Permissions == nil {
		o.Permissions = []Permission{} // turso-cli sends [], not null
	}
	body := struct {
		Database    *string       `json:"database"`
		Group       *string       `json:"group"`
		Scope       Authorization `json:"scope"`
		Permissions []Permission  `json:"permissions"`
	}{optional(o.Database), optional(o.Group), o.Authorization, o.Permissions}
	var answer struct{ Template json.RawMessage }
	// A body on GET is how the API reads its parameters.
	err = c.do(ctx, call{op: op, method: http.MethodGet, path: "/v2/organizations/" + slug + "/jwks-template", body: body}, &answer)
	if err == nil && (len(answer.Template) == 0 || string(answer.Template) == "null") {
		err = incomplete(op, "template")
	}
	return answer.Template, err
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
