package clerk

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// Template is a JWT template of an instance.
type Template struct {
	ID   string
	Name string
	// Claims are a JSON object, in which strings may hold shortcodes.
	Claims map[string]any
	// Lifetime is the life of its tokens, in whole seconds. Zero leaves it to Clerk.
	Lifetime time.Duration
	// Skew is how far before iat its tokens are good already (nbf), in whole seconds; zero
	// leaves it to Clerk, or as it is.
	Skew time.Duration
}

// maxTemplates is the most that one answer has.
const maxTemplates = "500"

// Templates lists the JWT templates of the instance.
func (b *Backend) Templates(ctx context.Context) ([]Template, error) {
	var answer struct {
		Data []struct {
			ID       string         `json:"id"`
			Name     string         `json:"name"`
			Claims   map[string]any `json:"claims"`
			Lifetime int64          `json:"lifetime"`
			Skew     int64          `json:"allowed_clock_skew"`
		} `json:"data"`
	}
	query := url.Values{"paginated": {"true"}, "limit": {maxTemplates}}
	err := b.do(ctx, backendCall{what: "list the JWT templates", method: http.MethodGet, path: "/jwt_templates?" + query.Encode()}, &answer)
	templates := make([]Template, 0, len(answer.Data))
	for _, t := range answer.Data {
		templates = append(templates, Template{
			ID: t.ID, Name: t.Name, Claims: t.Claims, Lifetime: time.Duration(t.Lifetime) * time.Second, Skew: time.Duration(t.Skew) * time.Second,
		})
	}
	return templates, err
}

// SaveTemplate makes a JWT template, or, if it has an id, changes that one. Its tokens
// are signed by the instance's own key, whatever signed them before.
func (b *Backend) SaveTemplate(ctx context.Context, t Template) error {
	body := map[string]any{"name": t.Name, "claims": t.Claims, "custom_signing_key": false}
	if t.Lifetime > 0 {
		body["lifetime"] = int64(t.Lifetime / time.Second)
	}
	if t.Skew > 0 {
		body["allowed_clock_skew"] = int64(t.Skew / time.Second)
	}
	c := backendCall{what: "make the JWT template", method: http.MethodPost, path: "/jwt_templates", body: body}
	if t.ID != "" {
		c.what, c.method, c.path = "change the JWT template", http.MethodPatch, "/jwt_templates/"+url.PathEscape(t.ID)
	}
	var answer json.RawMessage
	return b.do(ctx, c, &answer)
}

// KeyIDs returns the kids of the instance's key set: of which instance the secret key is.
func (b *Backend) KeyIDs(ctx context.Context) ([]string, error) {
	var answer struct {
		Keys []struct {
			ID string `json:"kid"`
		} `json:"keys"`
	}
	err := b.do(ctx, backendCall{what: "read the key set of the secret key's instance", method: http.MethodGet, path: "/jwks"}, &answer)
	ids := make([]string, 0, len(answer.Keys))
	for _, k := range answer.Keys {
		ids = append(ids, k.ID)
	}
	return ids, err
}
