package auth0_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack/auth0"
)

// TestFaults checks the effect of each fault on a client.
func TestFaults(t *testing.T) {
	b := newBench(t)
	get := func(path string) reply {
		resp, err := http.Get(b.url + path)
		if err != nil {
			t.Fatal(err)
		}
		return b.read(resp)
	}
	checks := map[string]func(t *testing.T){
		auth0.FaultUnavailable: func(*testing.T) { b.want(get("/.well-known/openid-configuration"), 503, "temporarily_unavailable") },
		auth0.FaultRateLimited: func(t *testing.T) {
			r := b.refresh("x", "native")
			b.want(r, 429, "too_many_requests")
			if r.header.Get("Retry-After") == "" || r.header.Get("X-RateLimit-Remaining") != "0" {
				t.Errorf("headers %v", r.header)
			}
		},
		auth0.FaultJWKSUnavailable: func(*testing.T) {
			b.want(get("/.well-known/jwks.json"), 503, "temporarily_unavailable")
			b.want(get("/.well-known/openid-configuration"), 200, "")
		},
		auth0.FaultKeyUnpublished: func(t *testing.T) {
			if _, err := b.parse(b.tokens().text("access_token")); err == nil {
				t.Error("the token verifies")
			}
		},
		auth0.FaultCallbackMismatch: func(t *testing.T) {
			if _, err := b.visit(alice(), b.request()); err == nil || !strings.Contains(err.Error(), "403") {
				t.Errorf("error %v", err)
			}
		},
		auth0.FaultActionMissing: func(t *testing.T) {
			if claims := b.claims(b.tokens().text("access_token")); claims["id"] != nil || claims["a"] != nil {
				t.Errorf("claims %v", claims)
			}
		},
		auth0.FaultOpaqueToken: func(t *testing.T) {
			if token := b.tokens().text("access_token"); strings.Count(token, ".") != 4 {
				t.Errorf("token %s", token)
			}
		},
		auth0.FaultWrongIssuer: func(t *testing.T) {
			if _, err := b.parse(b.tokens().text("access_token")); err == nil || !strings.Contains(err.Error(), "issuer") {
				t.Errorf("error %v", err)
			}
		},
		auth0.FaultNoRefreshToken: func(t *testing.T) {
			if r := b.tokens(); r.text("refresh_token") != "" {
				t.Error("a refresh token")
			}
		},
		auth0.FaultSlowDown: func(*testing.T) { b.want(b.poll(b.device()), 429, "slow_down") },
		auth0.FaultOrganizationLost: func(t *testing.T) {
			r := b.tokens("client_id", "teams")
			if b.claims(r.text("access_token"))["org_id"] != nil || b.claims(r.text("id_token"))["org_id"] != nil {
				t.Error("the tokens have org_id")
			}
		},
		auth0.FaultRefreshRevoked: func(*testing.T) { b.want(b.refresh(b.tokens().text("refresh_token"), "native"), 403, "invalid_grant") },
		auth0.FaultClockAhead: func(t *testing.T) {
			claims := b.claims(b.tokens().text("access_token"))
			if iat, err := claims.GetIssuedAt(); err != nil || !iat.After(b.now()) {
				t.Errorf("claims %v", claims)
			}
		},
		auth0.FaultMachineActionMissing: func(t *testing.T) {
			if claims := b.claims(b.machine().text("access_token")); claims["id"] != nil || claims["a"] != nil {
				t.Errorf("claims %v", claims)
			}
			if claims := b.claims(b.tokens().text("access_token")); claims["id"] != "db-1" {
				t.Errorf("a person's claims are missing, too: %v", claims)
			}
		},
		auth0.FaultGrantMissing:      func(*testing.T) { b.want(b.machine(), 403, "access_denied") },
		auth0.FaultSecretWrong:       func(*testing.T) { b.want(b.machine(), 401, "access_denied") },
		auth0.FaultAssertionReplayed: func(t *testing.T) { b.want(b.assert(b.assertion(nil)), 401, "invalid_client") },
		auth0.FaultRefreshReused: func(*testing.T) {
			first := b.tokens().text("refresh_token")
			b.want(b.refresh(first, "native"), 403, "invalid_grant")
			b.fault.Store("")
			b.want(b.refresh(first, "native"), 403, "invalid_grant") // the family stays revoked
		},
		auth0.FaultWrongAudience: func(t *testing.T) {
			if aud, _ := b.claims(b.machine().text("access_token"))["aud"].(string); aud == auth0.DefaultAudience {
				t.Errorf("aud %s", aud)
			}
		},
		auth0.FaultOtherDialect: func(t *testing.T) {
			token, err := b.parse(b.machine().text("access_token"))
			if err != nil || token.Header["typ"] != "at+jwt" {
				t.Errorf("token %v, %v", token, err)
			}
		},
		auth0.FaultSenderConstrained: func(t *testing.T) {
			if b.claims(b.tokens().text("access_token"))["cnf"] == nil {
				t.Error("no cnf")
			}
		},
		auth0.FaultSymmetric: func(t *testing.T) {
			if _, err := b.parse(b.machine().text("access_token")); err == nil {
				t.Error("the key set verifies the token")
			}
		},
		auth0.FaultDeviceOff: func(*testing.T) {
			b.want(b.post("/oauth/device/code", url.Values{"client_id": {"native"}}), 403, "unauthorized_client")
		},
		auth0.FaultAnswerLost: func(t *testing.T) {
			b.fault.Store("")
			token := b.tokens().text("refresh_token")
			b.fault.Store(auth0.FaultAnswerLost)
			if r := b.refresh(token, "native"); r.err == nil {
				t.Errorf("an answer: %v", r.body)
			}
			b.fault.Store("")
			b.want(b.refresh(token, "native"), 403, "invalid_grant")
		},
	}
	for _, f := range auth0.Faults() {
		t.Run(f.Name, func(t *testing.T) {
			check := checks[f.Name]
			if check == nil || f.Summary == "" {
				t.Fatal("no check covers this fault")
			}
			b.fault.Store(f.Name)
			defer b.fault.Store("")
			check(t)
		})
	}
	if len(checks) != len(auth0.Faults()) {
		t.Errorf("%d checks of %d faults", len(checks), len(auth0.Faults()))
	}
}
