package clerk

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestSecretKey(t *testing.T) {
	b := newBench(t)
	for name, tt := range map[string]struct {
		header string
		status int
		code   string
	}{
		"right":           {"Bearer sk_test_secret", 200, ""},
		"missing":         {"", 401, "authentication_invalid"},
		"bare":            {"sk_test_secret", 401, "authorization_header_format_invalid"},
		"basic":           {"Basic c2s6", 401, "authorization_header_format_invalid"},
		"wrong":           {"Bearer sk_test_other", 401, "clerk_key_invalid"},
		"publishable key": {"Bearer " + b.PublishableKey(), 401, "clerk_key_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/jwks", "/users"} {
				req := httptest.NewRequest("GET", BackendPrefix+path, nil)
				if tt.header != "" {
					req.Header.Set("Authorization", tt.header)
				}
				b.want(b.do(req), tt.status, tt.code)
			}
		})
	}
	req := httptest.NewRequest("GET", BackendPrefix+"/users", nil)
	req.Header.Set("Authorization", "Bearer sk_test_secret")
	req.Header.Set("Clerk-API-Version", "1999-01-01")
	b.want(b.do(req), 400, "api_version_invalid")
}

func TestCreateTicket(t *testing.T) {
	b := newBench(t)
	for name, tt := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"plain":               {`{"user_id":"` + b.alice + `"}`, 200, ""},
		"null lifetime":       {`{"user_id":"` + b.alice + `","expires_in_seconds":null}`, 200, ""},
		"organization":        {`{"user_id":"` + b.alice + `","org_id":"acme"}`, 200, ""},
		"nobody":              {`{}`, 422, "form_param_missing"},
		"no body":             {``, 422, "form_param_missing"},
		"unknown user":        {`{"user_id":"user_x"}`, 404, "resource_not_found"},
		"unknown org":         {`{"user_id":"` + b.alice + `","org_id":"org_x"}`, 404, "resource_not_found"},
		"another org":         {`{"user_id":"` + b.alice + `","org_id":"globex"}`, 403, "not_a_member_in_organization"},
		"no life":             {`{"user_id":"` + b.alice + `","expires_in_seconds":0}`, 422, "form_param_value_invalid"},
		"life is text":        {`{"user_id":"` + b.alice + `","expires_in_seconds":"30"}`, 422, "form_param_value_invalid"},
		"an unknown field":    {`{"user_id":"` + b.alice + `","ttl":3}`, 422, "form_param_unknown"},
		"not JSON":            {`user_id=` + b.alice, 400, "request_body_invalid"},
		"JSON, but a list":    {`[]`, 400, "request_body_invalid"},
		"broken in the midst": {`{"user_id":`, 400, "request_body_invalid"},
	} {
		t.Run(name, func(t *testing.T) { b.want(b.server("POST", "/sign_in_tokens", tt.body), tt.status, tt.code) })
	}
}

func TestRevokeTicket(t *testing.T) {
	b := newBench(t)
	id, _ := b.server("POST", "/sign_in_tokens", `{"user_id":"`+b.alice+`"}`).body["id"].(string)
	r := b.server("POST", "/sign_in_tokens/"+id+"/revoke", "")
	b.want(r, 200, "")
	if r.body["status"] != "revoked" || r.body["token"] != nil {
		t.Errorf("revoked: %s", r.raw)
	}
	b.want(b.server("POST", "/sign_in_tokens/"+id+"/revoke", ""), 400, "sign_in_token_cannot_be_revoked_code")
	b.want(b.server("POST", "/sign_in_tokens/sit_x/revoke", ""), 404, "resource_not_found")
}

func TestTicketOrganization(t *testing.T) {
	b := newBench(t, func(o *Options) { o.NoActiveOrganization = true })
	r := b.server("POST", "/sign_in_tokens", `{"user_id":"`+b.bob+`","org_id":"globex"}`)
	signIn := b.native("POST", "/v1/client/sign_ins", "", map[string][]string{"strategy": {"ticket"}, "ticket": {r.body["token"].(string)}})
	if id := signIn.at("client.sessions.0.last_active_organization_id"); id == nil || !strings.HasPrefix(id.(string), "org_") {
		t.Errorf("active organization %v", id)
	}
}

func TestBackendSessions(t *testing.T) {
	b := newBench(t)
	r := b.server("POST", "/sessions", `{"user_id":"`+b.bob+`"}`)
	b.want(r, 200, "")
	id := r.body["id"].(string)
	b.want(b.server("POST", "/sessions", `{}`), 422, "form_param_missing")
	b.want(b.server("POST", "/sessions", `{"user_id":"user_x"}`), 404, "resource_not_found")
	b.want(b.server("POST", "/sessions", `{"user_id":"`+b.bob+`","active_organization_id":"acme"}`), 404, "resource_not_found")
	b.want(b.server("GET", "/sessions/sess_x", ""), 404, "resource_not_found")
	b.want(b.server("GET", "/sessions", ""), 422, "form_param_missing")
	if list := b.server("GET", "/sessions?user_id="+b.bob+"&status=active", ""); !strings.HasPrefix(list.raw, `[{`) {
		t.Errorf("list: %s", list.raw)
	}
	if list := b.server("GET", "/sessions?paginated=true&status=ended&user_id="+b.bob, ""); list.body["total_count"] != 0.0 {
		t.Errorf("paginated list: %s", list.raw)
	}
	for _, tt := range []struct {
		path, body string
		life       float64
	}{
		{"/tokens", "", 60}, {"/tokens/turso", "", 600}, {"/tokens/turso", `{"expires_in_seconds":30}`, 30}, {"/tokens", `{"expires_in_seconds":7200}`, 7200},
	} {
		token := b.server("POST", "/sessions/"+id+tt.path, tt.body)
		b.want(token, 200, "")
		claims := b.parse(token.body["jwt"].(string)).Claims.(jwt.MapClaims)
		if life := claims["exp"].(float64) - claims["iat"].(float64); life != tt.life {
			t.Errorf("%s %s lives %v s", tt.path, tt.body, life)
		}
	}
	b.want(b.server("POST", "/sessions/"+id+"/tokens/nope", ""), 404, "resource_not_found")
	b.want(b.server("POST", "/sessions/"+id+"/tokens", `{"expires_in_seconds":29}`), 422, "form_param_value_invalid")
	b.want(b.server("POST", "/sessions/"+id+"/revoke", ""), 200, "")
	b.want(b.server("POST", "/sessions/"+id+"/revoke", ""), 404, "resource_not_found")
}

func TestProduction(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Production, o.SecretKey = true, "sk_test_secret" })
	b.want(b.server("POST", "/sessions", `{"user_id":"`+b.alice+`"}`), 400, "request_invalid_for_environment")
	if key := b.PublishableKey(); !strings.HasPrefix(key, "pk_live_") {
		t.Errorf("publishable key %s", key)
	}
}

func TestUsers(t *testing.T) {
	b := newBench(t)
	if r := b.server("GET", "/users?email_address=ALICE@example.test", ""); !strings.Contains(r.raw, b.alice) || strings.Contains(r.raw, b.bob) {
		t.Errorf("users: %s", r.raw)
	}
	if r := b.server("GET", "/users/count", ""); r.body["total_count"] != 2.0 {
		t.Errorf("count: %s", r.raw)
	}
	b.want(b.server("GET", "/users/"+b.bob, ""), 200, "")
	b.want(b.server("GET", "/users/user_x", ""), 404, "resource_not_found")
}

func TestSessionLifetimeOption(t *testing.T) {
	b := newBench(t, func(o *Options) { o.SessionLifetime, o.SessionTokenLifetime = time.Hour, 5*time.Minute })
	clientJWT, id := b.signIn(b.alice)
	claims := b.parse(b.mint(clientJWT, id, "")).Claims.(jwt.MapClaims)
	if life := claims["exp"].(float64) - claims["iat"].(float64); life != 300 {
		t.Errorf("session token lives %v s", life)
	}
	b.clock = b.clock.Add(time.Hour)
	b.want(b.native("POST", "/v1/client/sessions/"+id+"/tokens", clientJWT, nil), 404, "resource_not_found")
}
