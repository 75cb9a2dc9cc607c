package clerk

import (
	"encoding/base64"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// TestFaults: each fault, as a client sees it.
func TestFaults(t *testing.T) {
	o := newOAuthBench(t)
	jwks := func() reply { return o.do(httptest.NewRequest("GET", "/.well-known/jwks.json", nil)) }
	native := func() reply { return o.native("GET", "/v1/client", "", nil) }
	users := func() reply { return o.server("GET", "/users", "") }
	stuck := func(t *testing.T, status string) {
		r := o.native("POST", "/v1/client/sign_ins", "", url.Values{
			"strategy": {"password"}, "identifier": {"alice@example.test"}, "password": {"alice-dev-password"},
		})
		o.want(r, 200, "")
		if r.at("response.status") != status || r.at("response.created_session_id") != nil {
			t.Errorf("response %v", r.body["response"])
		}
	}
	template := func() jwt.MapClaims {
		clientJWT, id := o.signIn(o.alice)
		return o.parse(o.mint(clientJWT, id, "turso")).Claims.(jwt.MapClaims)
	}
	checks := map[string]func(t *testing.T){
		FaultUnavailable: func(*testing.T) {
			for _, call := range []func() reply{jwks, native, users} {
				o.want(call(), 503, "service_unavailable")
			}
		},
		FaultRateLimited: func(t *testing.T) {
			for _, call := range []func() reply{native, users} {
				r := call()
				o.want(r, 429, "too_many_requests")
				if r.header.Get("Retry-After") == "" {
					t.Error("429 without Retry-After")
				}
			}
		},
		FaultJWKSUnavailable: func(*testing.T) {
			o.want(jwks(), 503, "service_unavailable")
			o.want(native(), 200, "")
		},
		FaultNativeDisabled: func(*testing.T) {
			o.want(native(), 400, "native_api_disabled")
			o.want(users(), 200, "")
		},
		FaultHTML: func(t *testing.T) {
			if r := native(); r.status != 502 || !strings.HasPrefix(r.raw, "<html>") {
				t.Errorf("got %d %s", r.status, r.raw)
			}
		},
		FaultKeySwapped: func(t *testing.T) {
			if key := o.keySet()[0]; key["kid"] != o.ID() || key["n"] == base64.RawURLEncoding.EncodeToString(o.PublicKey().N.Bytes()) {
				t.Errorf("key %v", key)
			}
		},
		FaultClockAhead: func(t *testing.T) {
			clientJWT, id := o.signIn(o.alice)
			token := o.native("POST", "/v1/client/sessions/"+id+"/tokens", clientJWT, nil).body["jwt"].(string)
			claims := jwt.MapClaims{}
			if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil || int64(claims["nbf"].(float64)) <= o.clock.Unix() {
				t.Errorf("claims %v, %v", claims, err)
			}
		},
		FaultSignedOut: func(t *testing.T) {
			clientJWT, id := o.signIn(o.alice)
			r := o.native("POST", "/v1/client/sessions/"+id+"/tokens", clientJWT, nil)
			o.want(r, 401, "signed_out")
			if r.clientJWT() == "" || r.clientJWT() == clientJWT {
				t.Error("no new client token")
			}
		},
		FaultSessionGone: func(*testing.T) {
			clientJWT, id := o.signIn(o.alice)
			o.want(o.native("POST", "/v1/client/sessions/"+id+"/tokens", clientJWT, nil), 404, "resource_not_found")
			o.want(o.server("POST", "/sessions/"+id+"/tokens", ""), 404, "resource_not_found")
		},
		FaultSecondFactor: func(t *testing.T) { stuck(t, "needs_second_factor") },
		FaultClientTrust:  func(t *testing.T) { stuck(t, "needs_client_trust") },
		FaultTemplateMissing: func(*testing.T) {
			clientJWT, id := o.signIn(o.alice)
			o.want(o.native("POST", "/v1/client/sessions/"+id+"/tokens/turso", clientJWT, nil), 404, "resource_not_found")
			o.want(o.server("POST", "/sessions/"+id+"/tokens/turso", ""), 404, "resource_not_found")
		},
		FaultTemplateEmpty: func(t *testing.T) {
			if claims := template(); claims["id"] != nil || claims["a"] != nil || claims["sub"] != o.alice {
				t.Errorf("claims %v", claims)
			}
		},
		FaultTemplateAudience: func(t *testing.T) {
			if claims := template(); claims["aud"] == nil || claims["id"] != "db" {
				t.Errorf("claims %v", claims)
			}
		},
		FaultAPIKeysDisabled: func(*testing.T) {
			o.want(o.server("POST", "/api_keys", `{"name":"ci","subject":"user_1"}`), 422, "api_keys_not_enabled")
			o.want(o.server("POST", "/api_keys/verify", `{"secret":"ak_x"}`), 422, "api_keys_not_enabled")
		},
		FaultDeviceGrantOff: func(t *testing.T) {
			if r := o.do(httptest.NewRequest("GET", "/.well-known/openid-configuration", nil)); r.body["device_authorization_endpoint"] != nil {
				t.Error("the device grant is announced")
			}
			o.wantOAuth(o.post("/oauth/device_authorization", "client_id", "native"), 400, "unauthorized_client")
		},
		FaultOAuthRevoked: func(*testing.T) {
			o.wantOAuth(o.refresh(o.tokens().body["refresh_token"].(string)), 401, "invalid_grant")
		},
		FaultOAuthAnswerLost: func(t *testing.T) {
			o.fault.Store("")
			token := o.tokens().body["refresh_token"].(string)
			o.fault.Store(FaultOAuthAnswerLost)
			if r := o.refresh(token); r.status != 0 {
				t.Errorf("an answer: %v", r.body)
			}
			o.fault.Store("")
			o.wantOAuth(o.refresh(token), 400, "invalid_grant")
		},
	}
	for _, f := range Faults() {
		t.Run(f.Name, func(t *testing.T) {
			check := checks[f.Name]
			if check == nil || f.Summary == "" {
				t.Fatal("nobody sees this fault")
			}
			o.fault.Store(f.Name)
			defer o.fault.Store("")
			check(t)
		})
	}
	if len(checks) != len(Faults()) {
		t.Errorf("%d checks of %d faults", len(checks), len(Faults()))
	}
}
