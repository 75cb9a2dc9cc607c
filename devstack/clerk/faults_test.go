package clerk

import (
	"net/http/httptest"
	"testing"
)

// TestFaults: each fault, as a client sees it.
func TestFaults(t *testing.T) {
	o := newOAuthBench(t)
	jwks := func() reply { return o.do(httptest.NewRequest("GET", "/.well-known/jwks.json", nil)) }
	native := func() reply { return o.native("GET", "/v1/client", "", nil) }
	users := func() reply { return o.server("GET", "/users", "") }
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
		FaultDeviceGrantOff: func(t *testing.T) {
			if r := o.do(httptest.NewRequest("GET", "/.well-known/openid-configuration", nil)); r.body["device_authorization_endpoint"] != nil {
				t.Error("the device grant is announced")
			}
			o.wantOAuth(o.post("/oauth/device_authorization", "client_id", "native"), 400, "unauthorized_client")
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
