package auth0_test

import (
	"crypto/rand"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/auth0"
)

// machine asks for a token of the machine application; change are form fields.
func (b *bench) machine(change ...string) reply {
	b.t.Helper()
	form := url.Values{"grant_type": {auth0.GrantCredentials}, "client_id": {"machine"}, "client_secret": {"m4chine"}, "audience": {auth0.DefaultAudience}}
	for i := 0; i+1 < len(change); i += 2 {
		form.Set(change[i], change[i+1])
	}
	return b.post("/oauth/token", form)
}

func TestClientCredentials(t *testing.T) {
	b := newBench(t)
	r := b.machine()
	b.want(r, 200, "")
	if r.text("refresh_token") != "" || r.text("id_token") != "" || r.text("token_type") != "Bearer" || r.text("scope") != "read:db" {
		t.Errorf("answer %v", r.body)
	}
	claims := b.claims(r.text("access_token"))
	if claims["sub"] != "machine@clients" || claims["azp"] != "machine" || claims["aud"] != auth0.DefaultAudience || claims["gty"] != "client-credentials" {
		t.Errorf("claims %v", claims)
	}
	// The Post Login Action would set rw, but it doesn't run for a machine.
	if claims["id"] != "db-1" || claims["a"] != "ro" || claims["rid"] != nil {
		t.Errorf("claims of the Action: %v", claims)
	}
	org := b.claims(b.machine("organization", "acme").text("access_token"))
	if id, _ := org["org_id"].(string); !strings.HasPrefix(id, "org_") {
		t.Errorf("with an organization: %v", org)
	}
	token, err := b.parse(b.machine("audience", "https://ps256.test").text("access_token"))
	if err != nil || token.Header["alg"] != "PS256" {
		t.Errorf("PS256: %v, %v", token, err)
	}
	for name, tt := range map[string]struct {
		change []string
		status int
		code   string
	}{
		"wrong secret":          {[]string{"client_secret", "wrong"}, 401, "access_denied"},
		"no secret":             {[]string{"client_secret", ""}, 401, "access_denied"},
		"no audience":           {[]string{"audience", ""}, 403, "access_denied"},
		"no such API":           {[]string{"audience", "https://nowhere.test"}, 403, "access_denied"},
		"no client grant":       {[]string{"audience", "https://rfc9068.test"}, 403, "access_denied"},
		"a native application":  {[]string{"client_id", "native"}, 403, "unauthorized_client"},
		"no such organization":  {[]string{"organization", "nowhere"}, 400, "invalid_request"},
		"organization not for ": {[]string{"audience", "https://ps256.test", "organization", "acme"}, 400, "invalid_request"},
	} {
		t.Run(name, func(*testing.T) { b.want(b.machine(tt.change...), tt.status, tt.code) })
	}
	b.SetMachineAction(func(e *auth0.Exchange) { e.Deny("invalid_scope", "no") })
	b.want(b.machine(), 400, "invalid_scope")
}

// assertion signs what private_key_jwt wants; change are claims.
func (b *bench) assertion(change jwt.MapClaims) string {
	b.t.Helper()
	claims := jwt.MapClaims{
		"iss": "machine-key", "sub": "machine-key", "aud": b.url + "/", "iat": b.now().Unix(), "exp": b.now().Add(time.Minute).Unix(), "jti": rand.Text(),
	}
	maps.Copy(claims, change)
	signed, err := jwt.NewWithClaims(jwt.SigningMethodPS256, claims).SignedString(testKeys()[3])
	if err != nil {
		b.t.Fatal(err)
	}
	return signed
}

func (b *bench) assert(assertion string) reply {
	b.t.Helper()
	return b.post("/oauth/token", url.Values{
		"grant_type": {auth0.GrantCredentials}, "audience": {auth0.DefaultAudience}, "client_assertion": {assertion},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	})
}

func TestPrivateKeyJWT(t *testing.T) {
	b := newBench(t)
	good := b.assertion(nil)
	r := b.assert(good)
	b.want(r, 200, "")
	if b.claims(r.text("access_token"))["sub"] != "machine-key@clients" {
		t.Errorf("answer %v", r.body)
	}
	b.want(b.assert(good), 401, "invalid_client") // once
	for name, change := range map[string]jwt.MapClaims{
		"lives too long":        {"exp": b.now().Add(6 * time.Minute).Unix()},
		"expired":               {"exp": b.now().Add(-time.Minute).Unix()},
		"from the future":       {"iat": b.now().Add(time.Minute).Unix()},
		"without jti":           {"jti": ""},
		"for somebody else":     {"aud": "https://elsewhere.test/"},
		"audience has no /":     {"aud": b.url},
		"issued by another":     {"iss": "machine"},
		"without an end at all": {"exp": nil},
	} {
		t.Run(name, func(*testing.T) { b.want(b.assert(b.assertion(change)), 401, "invalid_client") })
	}
	stranger, err := jwt.NewWithClaims(jwt.SigningMethodPS256, jwt.MapClaims{
		"iss": "machine-key", "sub": "machine-key", "aud": b.url + "/", "exp": b.now().Add(time.Minute).Unix(), "jti": "j",
	}).SignedString(testKeys()[0])
	if err != nil {
		t.Fatal(err)
	}
	b.want(b.assert(stranger), 401, "invalid_client")
	b.want(b.machine("client_id", "machine-key"), 401, "access_denied") // it can't authenticate with a secret
}

// TestSymmetric checks that no key set verifies the tokens of an API that signs with its
// own secret.
func TestSymmetric(t *testing.T) {
	b := newBench(t)
	token := b.tokens("audience", "https://hs256.test").text("access_token")
	parsed, _, err := jwt.NewParser().ParseUnverified(token, jwt.MapClaims{})
	if err != nil || parsed.Header["alg"] != "HS256" {
		t.Errorf("token %v, %v", parsed, err)
	}
	if _, err := b.parse(token); err == nil {
		t.Error("the key set verifies it")
	}
}

// TestFamilies checks that a user's 201st refresh token for an application drops the
// oldest one.
func TestFamilies(t *testing.T) {
	b := newBench(t)
	who := alice()
	var tokens []string
	for range 201 {
		b.advance(time.Second)
		code, err := b.visit(who, b.request())
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, b.exchange(code.Get("code")).text("refresh_token"))
	}
	b.want(b.refresh(tokens[0], "native"), 403, "invalid_grant")
	b.want(b.refresh(tokens[1], "native"), 200, "")
}
