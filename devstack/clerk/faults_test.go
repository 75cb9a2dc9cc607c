package clerk

import (
	"encoding/base64"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// TestFaults checks the effect of each fault on a client.
func TestFaults(t *testing.T) {
	o := newOAuthBench(t)
	jwks := func() reply { return o.do(httptest.NewRequest("GET", "/.well-known/jwks.json", nil)) }
	native := func() reply { return o.native("GET", "/v1/client", "", nil) }
	users := func() reply { return o.server("GET", "/users", "") }
	password := func() reply {
		return o.native("POST", "/v1/client/sign_ins", "", url.Values{
			"strategy": {"password"}, "identifier": {"alice@example.test"}, "password": {"alice-dev-password"},
		})
	}
	_, secret, err := o.AddAPIKey(APIKey{Name: "test", Subject: o.alice, Scopes: []string{"db:read"}})
	if err != nil {
		t.Fatal(err)
	}
	verifyKey := func() reply { return o.server("POST", "/api_keys/verify", `{"secret":"`+secret+`"}`) }
	stuck := func(t *testing.T, status string) {
		r := password()
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
				t.Errorf("native = %d %s", r.status, r.raw)
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
		FaultSessionGone: func(t *testing.T) {
			clientJWT, id := o.signIn(o.alice)
			o.want(o.native("POST", "/v1/client/sessions/"+id+"/tokens", clientJWT, nil), 404, "resource_not_found")
			o.want(o.server("POST", "/sessions/"+id+"/tokens", ""), 404, "resource_not_found")
			client := o.native("GET", "/v1/client", clientJWT, nil)
			if sessions := client.body["response"].(map[string]any)["sessions"].([]any); len(sessions) != 0 {
				t.Errorf("the client has the sessions %v", sessions)
			}
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
		FaultProtectCheck: func(t *testing.T) { stuck(t, "needs_protect_check") },
		FaultSSOOnly: func(t *testing.T) {
			r := o.native("POST", "/v1/client/sign_ins", "", url.Values{"identifier": {"alice@example.test"}})
			if r.at("response.supported_first_factors.0.strategy") != "oauth_google" {
				t.Errorf("factors %s", r.raw)
			}
			o.want(password(), 400, "strategy_for_user_invalid")
		},
		FaultCodeLimited: func(t *testing.T) {
			r := o.native("POST", "/v1/client/sign_ins", "", url.Values{"identifier": {"alice@example.test"}, "strategy": {"email_code"}})
			o.want(r, 429, "verification_code_too_many_requests")
			if r.header.Get("Retry-After") != "30" {
				t.Errorf("headers %v", r.header)
			}
		},
		FaultUserBanned: func(*testing.T) {
			o.want(password(), 403, "user_banned")
			o.fault.Store("")
			clientJWT, id := o.signIn(o.alice)
			o.fault.Store(FaultUserBanned)
			o.want(o.native("POST", "/v1/client/sessions/"+id+"/tokens", clientJWT, nil), 404, "resource_not_found")
			o.wantOAuth(o.refresh("x"), 400, "invalid_grant")
		},
		FaultTeamForbidden: func(*testing.T) {
			alice := o.team(o.alice)
			o.want(alice.call("POST", "/v1/organizations/acme/invitations", "email_address", "c@x.test", "role", "org:member"), 403, "missing_organization_permission")
			o.want(alice.call("GET", "/v1/organizations/acme/memberships"), 200, "")
		},
		FaultOrganizationLeft: func(t *testing.T) {
			alice := o.team(o.alice)
			o.want(alice.call("GET", "/v1/organizations/acme/memberships"), 404, "organization_not_found_or_unauthorized")
			if claims := template(); claims["who"] != "Alice of null" {
				t.Errorf("claims %v", claims)
			}
		},
		FaultInvitationQuota: func(*testing.T) {
			o.want(o.team(o.alice).call("POST", "/v1/organizations/acme/invitations", "email_address", "c@x.test", "role", "org:member"), 403, "organization_membership_quota_exceeded")
		},
		FaultInvitationsLimited: func(*testing.T) {
			alice := o.team(o.alice)
			o.want(alice.call("POST", "/v1/organizations/acme/invitations", "email_address", "c@x.test", "role", "org:member"), 200, "")
			o.want(alice.call("POST", "/v1/organizations/acme/invitations", "email_address", "d@x.test", "role", "org:member"), 429, "too_many_requests")
			o.want(alice.call("POST", "/v1/organizations/acme/invitations", "email_address", "d@x.test", "role", "org:member"), 200, "")
		},
		FaultAPIKeyUnknown: func(*testing.T) { o.want(verifyKey(), 404, "resource_not_found") },
		FaultAPIKeyRevoked: func(t *testing.T) {
			if r := verifyKey(); r.status != 200 || r.body["revoked"] != true || r.body["revocation_reason"] == nil {
				t.Errorf("verifyKey = %d %s", r.status, r.raw)
			}
		},
		FaultAPIKeyExpired: func(t *testing.T) {
			if r := verifyKey(); r.status != 200 || r.body["expired"] != true || r.body["expiration"].(float64) > float64(ms(o.clock)) {
				t.Errorf("verifyKey = %d %s", r.status, r.raw)
			}
		},
		FaultAPIKeyBare: func(t *testing.T) {
			if r := verifyKey(); r.status != 200 || r.body["claims"] != nil || len(r.body["scopes"].([]any)) != 0 {
				t.Errorf("verifyKey = %d %s", r.status, r.raw)
			}
		},
		FaultSatellite: func(*testing.T) {
			o.want(password(), 403, "operation_not_allowed_on_satellite_domain")
			o.want(o.refresh("x"), 403, "operation_not_allowed_on_satellite_domain")
		},
		FaultRedirectMismatch: func(*testing.T) {
			o.want(o.do(httptest.NewRequest("GET", "/oauth/authorize?client_id=native&redirect_uri=http://127.0.0.1:5/callback", nil)), 400, "redirect_uri_mismatch")
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
				t.Fatal("no check covers this fault")
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
