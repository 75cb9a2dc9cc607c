package clerk

import (
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestBackendUsers(t *testing.T) {
	b := newBench(t)
	r := b.server("POST", "/users", `{"email_address":["carol@example.test"],"password":"carol-password","first_name":"Carol","public_metadata":{"perm":["read"]},"private_metadata":{"x":1}}`)
	b.want(r, 200, "")
	id := r.body["id"].(string)
	if r.at("email_addresses.0.email_address") != "carol@example.test" || r.at("private_metadata.x") != 1.0 {
		t.Errorf("user %s", r.raw)
	}
	b.want(b.server("POST", "/users", `{"email_address":["CAROL@example.test"]}`), 422, "form_identifier_exists")
	b.want(b.server("POST", "/users", `{}`), 422, "form_param_missing")
	b.want(b.server("POST", "/users", `{"email_address":["x"]}`), 422, "form_param_value_invalid")
	b.want(b.server("POST", "/users", `{"email_address":["x@y.test"],"password":"short"}`), 422, "form_password_length_too_short")
	b.want(b.server("GET", "/users?limit=501", ""), 422, "form_param_value_invalid")
	if l := b.server("GET", "/users?query=carol", ""); !strings.Contains(l.raw, id) || strings.Contains(l.raw, b.alice) {
		t.Errorf("list %s", l.raw)
	}
	if c := b.server("GET", "/users/count", ""); c.body["total_count"] != 3.0 {
		t.Errorf("count %s", c.raw)
	}
	b.want(b.server("PATCH", "/users/"+id, `{"first_name":"Caroline"}`), 200, "")
	r = b.server("PATCH", "/users/"+id+"/metadata", `{"public_metadata":{"perm":null,"team":"a"}}`)
	if r.at("public_metadata.team") != "a" || r.at("public_metadata.perm") != nil || r.at("private_metadata.x") != 1.0 || r.body["first_name"] != "Caroline" {
		t.Errorf("updated %s", r.raw)
	}
	clientJWT, session := b.signIn(id)
	b.want(b.server("DELETE", "/users/"+id, ""), 200, "")
	b.want(b.server("GET", "/users/"+id, ""), 404, "resource_not_found")
	b.want(b.native("POST", "/v1/client/sessions/"+session+"/tokens", clientJWT, nil), 404, "resource_not_found")
}

func TestBackendTemplates(t *testing.T) {
	b := newBench(t)
	r := b.server("POST", "/jwt_templates", `{"name":"db","claims":{"id":"1","who":"{{user.first_name}}"},"lifetime":120,"allowed_clock_skew":0}`)
	b.want(r, 200, "")
	id := r.body["id"].(string)
	if r.body["lifetime"] != 120.0 || r.at("claims.id") != "1" || r.body["signing_algorithm"] != "RS256" {
		t.Errorf("template %s", r.raw)
	}
	for name, tt := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"sub":            {`{"name":"x","claims":{"sub":"y"}}`, 400, "jwt_template_reserved_claim"},
		"sid":            {`{"name":"x","claims":{"sid":"y"}}`, 400, "jwt_template_reserved_claim"},
		"taken":          {`{"name":"turso","claims":{}}`, 422, "form_identifier_exists"},
		"no name":        {`{"claims":{}}`, 422, "form_param_missing"},
		"no claims":      {`{"name":"x"}`, 422, "form_param_missing"},
		"claims a list":  {`{"name":"x","claims":[]}`, 422, "form_param_value_invalid"},
		"too short":      {`{"name":"x","claims":{},"lifetime":29}`, 422, "form_param_value_invalid"},
		"too much skew":  {`{"name":"x","claims":{},"allowed_clock_skew":301}`, 422, "form_param_value_invalid"},
		"custom key":     {`{"name":"x","claims":{},"custom_signing_key":true}`, 422, "form_param_value_invalid"},
		"name not a one": {`{"name":"a/b","claims":{}}`, 422, "form_param_value_invalid"},
	} {
		t.Run(name, func(t *testing.T) { b.want(b.server("POST", "/jwt_templates", tt.body), tt.status, tt.code) })
	}
	b.want(b.server("PATCH", "/jwt_templates/"+id, `{"name":"database","claims":{"id":"2"}}`), 200, "")
	clientJWT, session := b.signIn(b.alice)
	claims := b.parse(b.mint(clientJWT, session, "database")).Claims.(jwt.MapClaims)
	if claims["id"] != "2" || claims["exp"].(float64)-claims["iat"].(float64) != 120 {
		t.Errorf("claims %v", claims)
	}
	b.want(b.native("POST", "/v1/client/sessions/"+session+"/tokens/db", clientJWT, nil), 404, "resource_not_found")
	if l := b.server("GET", "/jwt_templates?paginated=true", ""); l.at("total_count") != 2.0 {
		t.Errorf("list %s", l.raw)
	}
	if l := b.server("GET", "/jwt_templates", ""); !strings.HasPrefix(l.raw, "[{") {
		t.Errorf("list %s", l.raw)
	}
	b.want(b.server("GET", "/jwt_templates/"+id, ""), 200, "")
	b.want(b.server("DELETE", "/jwt_templates/"+id, ""), 200, "")
	b.want(b.server("DELETE", "/jwt_templates/"+id, ""), 404, "resource_not_found")
}

func TestRateLimits(t *testing.T) {
	b := newBench(t, func(o *Options) { o.RateLimits = DefaultRateLimits(false) })
	create := func() reply { return b.native("POST", "/v1/client/sign_ins", "", nil) }
	for range 5 {
		b.want(create(), 200, "")
	}
	b.clock = b.clock.Add(4 * time.Second)
	r := create()
	b.want(r, 429, "too_many_requests")
	if r.header.Get("Retry-After") != "6" {
		t.Errorf("Retry-After %q", r.header.Get("Retry-After"))
	}
	b.want(b.native("GET", "/v1/client", "", nil), 200, "")
	b.clock = b.clock.Add(6 * time.Second)
	b.want(create(), 200, "")
	attempt := func() reply {
		return b.native("POST", "/v1/client/sign_ins/sia_x/attempt_first_factor", "", nil)
	}
	for range 3 {
		b.want(attempt(), 404, "resource_not_found")
	}
	b.want(attempt(), 429, "too_many_requests")
	for range 100 {
		b.want(b.server("GET", "/users", ""), 200, "")
	}
	b.want(b.server("GET", "/users", ""), 429, "too_many_requests")
	b.want(b.server("GET", "/jwks", ""), 200, "")
}

// TestPrune checks that a long-running instance does not grow.
func TestPrune(t *testing.T) {
	b := newBench(t, func(o *Options) { o.SessionLifetime = time.Hour; o.RateLimits = &RateLimits{CreateSignIn: 9} })
	for range 20 {
		b.signIn(b.alice)
		b.clock = b.clock.Add(48 * time.Hour)
	}
	b.native("GET", "/v1/client", "", nil)
	b.clock = b.clock.Add(48 * time.Hour)
	b.native("GET", "/v1/client", "", nil)
	if s, c, k, w := len(b.sessions), len(b.clients), len(b.tickets), len(b.windows); s+c+k+w != 0 {
		t.Errorf("left: %d sessions, %d clients, %d tickets, %d windows", s, c, k, w)
	}
}
