package clerk

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const totpSecret = "JBSWY3DPEHPK3PXP"

// TestTOTP checks the values of RFC 6238, appendix B, shortened to six digits.
func TestTOTP(t *testing.T) {
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"} {
		if got, err := TOTP(secret, time.Unix(at, 0)); err != nil || got != want {
			t.Errorf("at %d: %s, %v; want %s", at, got, err, want)
		}
	}
	if _, err := TOTP("!", time.Now()); err == nil {
		t.Error("a bad secret was accepted")
	}
}

// passwordSignIn begins a sign-in with a password.
func (b *bench) passwordSignIn(clientJWT, email, password string) reply {
	b.t.Helper()
	return b.native("POST", "/v1/client/sign_ins", clientJWT, url.Values{"strategy": {"password"}, "identifier": {email}, "password": {password}})
}

func TestSecondFactor(t *testing.T) {
	b := newBench(t)
	id, err := b.AddUser(User{
		Email: "carol@example.test", Password: "carol-password", SecondFactors: []string{"totp", "email_code", "backup_code"},
		TOTPSecret: totpSecret, BackupCodes: []string{"b4ckup00"},
	})
	if err != nil {
		t.Fatal(err)
	}
	begin := func() (path, clientJWT, address string) {
		r := b.passwordSignIn("", "carol@example.test", "carol-password")
		b.want(r, 200, "")
		if r.at("response.status") != "needs_second_factor" || r.at("response.supported_second_factors.0.strategy") != "totp" || r.at("response.created_session_id") != nil {
			t.Fatalf("sign in %s", r.raw)
		}
		address, _ = r.at("response.supported_first_factors.0.email_address_id").(string)
		return "/v1/client/sign_ins/" + r.at("response.id").(string), r.clientJWT(), address
	}
	code, err := TOTP(totpSecret, b.clock)
	if err != nil {
		t.Fatal(err)
	}
	path, clientJWT, _ := begin()
	attempt := func(strategy, code string) reply {
		return b.native("POST", path+"/attempt_second_factor", clientJWT, url.Values{"strategy": {strategy}, "code": {code}})
	}
	b.want(attempt("totp", "000000"), 422, "form_code_incorrect")
	b.want(attempt("phone_code", "000000"), 400, "no_second_factors")
	b.want(attempt("", "000000"), 422, "form_param_missing")
	b.want(attempt("email_code", "000000"), 400, "verification_missing")
	r := attempt("totp", code)
	b.want(r, 200, "")
	if r.at("response.status") != "complete" || r.at("response.created_session_id") == nil || r.at("response.second_factor_verification.status") != "verified" {
		t.Errorf("with a TOTP: %s", r.raw)
	}

	path, clientJWT, address := begin()
	b.want(b.native("POST", path+"/prepare_second_factor", clientJWT, url.Values{"strategy": {"totp"}}), 422, "form_param_value_invalid")
	r = b.native("POST", path+"/prepare_second_factor", clientJWT, url.Values{"strategy": {"email_code"}, "email_address_id": {address}})
	b.want(r, 200, "")
	if r.at("response.second_factor_verification.status") != "unverified" {
		t.Errorf("prepared: %s", r.raw)
	}
	b.want(attempt("email_code", b.code), 200, "")
	path, clientJWT, _ = begin()
	b.want(attempt("backup_code", "b4ckup00"), 200, "")
	path, clientJWT, _ = begin()
	b.want(attempt("backup_code", "b4ckup00"), 422, "form_code_incorrect") // once
	// A ticket bypasses second factors.
	if _, session := b.signIn(id); session == "" {
		t.Error("a ticket was asked for a second factor")
	}
}

// TestClientTrust checks that a password alone is not enough on a client that is new to
// the user.
func TestClientTrust(t *testing.T) {
	b := newBench(t, func(o *Options) { o.ClientTrust = true })
	r := b.passwordSignIn("", "alice@example.test", "alice-dev-password")
	b.want(r, 200, "")
	if r.at("response.status") != "needs_client_trust" || r.at("response.client_trust_state") != "new" || r.at("response.supported_second_factors.0.strategy") != "email_code" {
		t.Fatalf("sign in %s", r.raw)
	}
	path, clientJWT := "/v1/client/sign_ins/"+r.at("response.id").(string), r.clientJWT()
	b.want(b.native("POST", path+"/prepare_second_factor", clientJWT, url.Values{"strategy": {"email_code"}}), 200, "")
	r = b.native("POST", path+"/attempt_second_factor", clientJWT, url.Values{"strategy": {"email_code"}, "code": {b.code}})
	b.want(r, 200, "")
	session := r.at("response.created_session_id").(string)
	r = b.native("POST", "/v1/client/sessions/"+session+"/end", r.clientJWT(), nil)
	b.want(r, 200, "")
	r = b.passwordSignIn(r.clientJWT(), "alice@example.test", "alice-dev-password")
	if r.at("response.status") != "complete" || r.at("response.client_trust_state") != "known" {
		t.Errorf("the second time: %s", r.raw)
	}
}

func TestSSOOnly(t *testing.T) {
	b := newBench(t)
	if _, err := b.AddUser(User{Email: "sso@example.test", SSO: "enterprise_sso"}); err != nil {
		t.Fatal(err)
	}
	r := b.native("POST", "/v1/client/sign_ins", "", url.Values{"identifier": {"sso@example.test"}})
	b.want(r, 200, "")
	if factors := r.at("response.supported_first_factors").([]any); len(factors) != 1 || r.at("response.supported_first_factors.0.strategy") != "enterprise_sso" {
		t.Errorf("factors %v", factors)
	}
	path := "/v1/client/sign_ins/" + r.at("response.id").(string)
	b.want(b.native("POST", path+"/prepare_first_factor", r.clientJWT(), url.Values{"strategy": {"email_code"}}), 400, "strategy_for_user_invalid")
	b.want(b.native("POST", "/v1/client/sign_ins", "", url.Values{"identifier": {"sso@example.test"}, "strategy": {"email_code"}}), 400, "strategy_for_user_invalid")
}

// TestCodeWait checks that a second code has to wait if the instance has rate limits.
func TestCodeWait(t *testing.T) {
	b := newBench(t, func(o *Options) { o.RateLimits = DefaultRateLimits(false) })
	r := b.native("POST", "/v1/client/sign_ins", "", url.Values{"identifier": {"alice@example.test"}, "strategy": {"email_code"}})
	b.want(r, 200, "")
	again := func() reply {
		return b.native("POST", "/v1/client/sign_ins/"+r.at("response.id").(string)+"/prepare_first_factor", r.clientJWT(),
			url.Values{"strategy": {"email_code"}, "email_address_id": {r.at("response.supported_first_factors.0.email_address_id").(string)}})
	}
	b.want(again(), 429, "verification_code_too_many_requests")
	b.clock = b.clock.Add(31 * time.Second)
	b.want(again(), 200, "")
}

// TestBan checks that a ban ends the user's sessions and prevents sign-ins until it is
// lifted.
func TestBan(t *testing.T) {
	b := newBench(t)
	clientJWT, session := b.signIn(b.alice)
	if r := b.server("POST", "/users/"+b.alice+"/ban", ""); r.status != 200 || r.body["banned"] != true {
		t.Errorf("ban %s", r.raw)
	}
	b.want(b.native("POST", "/v1/client/sessions/"+session+"/tokens", clientJWT, nil), 404, "resource_not_found")
	b.want(b.passwordSignIn("", "alice@example.test", "alice-dev-password"), 403, "user_banned")
	ticket, err := b.Ticket(b.alice, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	b.want(b.native("POST", "/v1/client/sign_ins", "", url.Values{"strategy": {"ticket"}, "ticket": {ticket}}), 403, "user_banned")
	b.want(b.server("POST", "/users/"+b.alice+"/unban", ""), 200, "")
	b.want(b.passwordSignIn("", "alice@example.test", "alice-dev-password"), 200, "")
	b.want(b.server("POST", "/users/"+b.alice+"/lock", ""), 200, "")
	b.want(b.passwordSignIn("", "alice@example.test", "alice-dev-password"), 403, "user_locked")
	b.want(b.server("POST", "/users/user_x/ban", ""), 404, "resource_not_found")
}

// TestUnsafeMetadata checks that a template can include unsafe metadata, which users
// write themselves.
func TestUnsafeMetadata(t *testing.T) {
	b := newBench(t)
	if err := b.SetTemplate("unsafe", json.RawMessage(`{"a":"{{user.unsafe_metadata.a || 'ro'}}"}`), time.Minute); err != nil {
		t.Fatal(err)
	}
	alice := b.team(b.alice)
	r := alice.call("PATCH", "/v1/me", "unsafe_metadata", `{"a":"rw"}`)
	b.want(r, 200, "")
	b.want(alice.call("PATCH", "/v1/me", "public_metadata", `{"a":"rw"}`), 422, "form_param_unknown")
	claims := b.parse(b.mint(alice.clientJWT, alice.sessionID, "unsafe")).Claims.(jwt.MapClaims)
	if claims["a"] != "rw" {
		t.Errorf("claims %v", claims)
	}
}

// TestInvitationFields checks that the Frontend API can't set an invitation's target or
// lifetime.
func TestInvitationFields(t *testing.T) {
	b := newBench(t)
	alice := b.team(b.alice)
	for _, field := range []string{"redirect_url", "expires_in_days", "public_metadata"} {
		b.want(alice.call("POST", "/v1/organizations/acme/invitations", "email_address", "c@x.test", "role", "org:member", field, "7"), 422, "form_param_unknown")
	}
	b.want(alice.call("POST", "/v1/organizations/acme/invitations", "email_address", "c@x.test", "role", "org:member", "notify", "false"), 200, "")
	r := b.server("POST", "/organizations/acme/invitations", `{"email_address":"d@x.test","role":"org:member","redirect_url":"https://app.test","expires_in_days":7}`)
	b.want(r, 200, "")
}

func TestInvitationLimit(t *testing.T) {
	b := newBench(t, func(o *Options) {
		o.RateLimits = &RateLimits{Invitations: 2}
		o.Organizations, o.Users = DefaultOrganizations(), DefaultUsers()
		o.Organizations[0].MaxMemberships = -1
	})
	alice := b.team(b.alice)
	invite := func(email string) reply {
		return alice.call("POST", "/v1/organizations/acme/invitations", "email_address", email, "role", "org:member")
	}
	b.want(invite("a@x.test"), 200, "")
	b.want(invite("b@x.test"), 200, "")
	b.want(invite("c@x.test"), 429, "too_many_requests")
	b.clock = b.clock.Add(time.Hour)
	b.want(invite("c@x.test"), 200, "")
}

// TestSessionClaims checks that a customised session token has its claims and the default
// ones.
func TestSessionClaims(t *testing.T) {
	b := newBench(t, func(o *Options) {
		o.SessionClaims = json.RawMessage(`{"id":"none","a":"ro","mail":"{{user.primary_email_address}}"}`)
	})
	_, session := b.signIn(b.alice)
	token, err := b.SessionToken(session)
	if err != nil {
		t.Fatal(err)
	}
	claims := b.parse(token).Claims.(jwt.MapClaims)
	if claims["id"] != "none" || claims["a"] != "ro" || claims["mail"] != "alice@example.test" || claims["sub"] != b.alice || claims["sid"] != session {
		t.Errorf("claims %v", claims)
	}
	if err := b.SetSessionClaims(json.RawMessage(`{"sub":"x"}`)); err == nil {
		t.Error("a reserved claim was accepted")
	}
}

// TestCustomSigner checks that the key set doesn't verify tokens from a template with its
// own key.
func TestCustomSigner(t *testing.T) {
	b := newBench(t)
	r := b.server("POST", "/jwt_templates", `{"name":"own","claims":{"a":"rw"},"custom_signing_key":true,"signing_algorithm":"HS256","signing_key":"0123456789abcdef"}`)
	b.want(r, 200, "")
	if r.body["custom_signing_key"] != true || r.body["signing_algorithm"] != "HS256" || r.body["signing_key"] != nil {
		t.Errorf("template %s", r.raw)
	}
	b.want(b.server("POST", "/jwt_templates", `{"name":"bad","claims":{},"custom_signing_key":true,"signing_algorithm":"RS256","signing_key":"x"}`), 422, "form_param_value_invalid")
	clientJWT, session := b.signIn(b.alice)
	token := b.mint(clientJWT, session, "own")
	if _, err := jwt.Parse(token, func(*jwt.Token) (any, error) { return []byte("0123456789abcdef"), nil }, jwt.WithTimeFunc(func() time.Time { return b.clock })); err != nil {
		t.Errorf("the template's own key: %v", err)
	}
	var saved bytes.Buffer
	if err := b.Save(&saved); err != nil {
		t.Fatal(err)
	}
	other := newBench(t)
	if err := other.Restore(&saved); err != nil {
		t.Fatal(err)
	}
	id, _ := r.body["id"].(string)
	if r := other.server("GET", "/jwt_templates/"+id, ""); r.body["custom_signing_key"] != true {
		t.Errorf("restored: %s", r.raw)
	}
	b.want(b.server("PATCH", "/jwt_templates/"+id, `{"custom_signing_key":false}`), 200, "")
	if claims := b.parse(b.mint(clientJWT, session, "own")).Claims.(jwt.MapClaims); claims["a"] != "rw" {
		t.Errorf("claims %v", claims)
	}
}

// TestApplications creates, changes and deletes an OAuth application through the Backend
// API.
func TestApplications(t *testing.T) {
	b := newBench(t)
	r := b.server("POST", "/oauth_applications", `{"name":"zen CLI","public":true,"pkce_required":true,"redirect_uris":["http://127.0.0.1/callback"],"scopes":"openid profile email offline_access user:org:read"}`)
	b.want(r, 200, "")
	if r.body["client_secret"] != "" || r.body["public"] != true || r.body["discovery_url"] != testBase+"/.well-known/openid-configuration" {
		t.Errorf("application %s", r.raw)
	}
	id, client := r.body["id"].(string), r.body["client_id"].(string)
	authorize := func(b *bench) int {
		q := url.Values{"client_id": {client}, "redirect_uri": {"http://127.0.0.1:5555/callback"}, "response_type": {"code"}, "state": {"state-1234"},
			"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}, "scope": {"openid offline_access user:org:read"}}
		return b.do(httptest.NewRequest("GET", "/oauth/authorize?"+q.Encode(), nil)).status
	}
	if status := authorize(b); status != 303 {
		t.Errorf("authorize: %d", status)
	}
	var saved bytes.Buffer
	if err := b.Save(&saved); err != nil {
		t.Fatal(err)
	}
	other := newBench(t)
	if err := other.Restore(&saved); err != nil {
		t.Fatal(err)
	}
	if status := authorize(other); status != 303 {
		t.Errorf("restored: %d", status)
	}
	if r := b.server("GET", "/oauth_applications?name_query="+client, ""); r.at("total_count") != 1.0 || r.at("data.0.id") != id {
		t.Errorf("list %s", r.raw)
	}
	b.want(b.server("PATCH", "/oauth_applications/"+id, `{"redirect_uris":["http://127.0.0.1/other"]}`), 200, "")
	if status := authorize(b); status != 400 {
		t.Errorf("another redirect: %d", status)
	}
	for body, code := range map[string]string{
		`{}`: "form_param_missing", `{"name":"x","redirect_uris":["nowhere"]}`: "form_param_value_invalid", `{"name":"x","scopes":"admin"}`: "form_param_value_invalid",
		`{"name":"x","color":"red"}`: "form_param_unknown",
	} {
		b.want(b.server("POST", "/oauth_applications", body), 422, code)
	}
	r = b.server("POST", "/oauth_applications", `{"name":"a server"}`)
	secret := r.body["client_secret"]
	if r := b.server("POST", "/oauth_applications/"+r.body["id"].(string)+"/rotate_secret", ""); secret == "" || r.body["client_secret"] == secret {
		t.Errorf("rotated: %s", r.raw)
	}
	b.want(b.server("DELETE", "/oauth_applications/"+id, ""), 200, "")
	b.want(b.server("GET", "/oauth_applications/"+id, ""), 404, "resource_not_found")
	if status := authorize(b); status != 401 {
		t.Errorf("deleted: %d", status)
	}
}

// TestProxy checks that behind an app's own domain the issuer is that address, and
// everything is served there.
func TestProxy(t *testing.T) {
	b := newBench(t, func(o *Options) { o.ProxyPath = "/__clerk" })
	if b.Issuer() != testBase+"/__clerk" || b.BackendURL() != testBase+BackendPrefix {
		t.Errorf("issuer %s, backend %s", b.Issuer(), b.BackendURL())
	}
	clientJWT, session := b.signIn(b.alice)
	r := b.native("POST", "/__clerk/v1/client/sessions/"+session+"/tokens/turso", clientJWT, nil)
	b.want(r, 200, "")
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(r.body["jwt"].(string), claims); err != nil || claims["iss"] != testBase+"/__clerk" {
		t.Errorf("claims %v, %v", claims, err)
	}
	r = b.do(httptest.NewRequest("GET", "/__clerk/.well-known/openid-configuration", nil))
	if r.body["issuer"] != testBase+"/__clerk" || r.body["token_endpoint"] != testBase+"/__clerk/oauth/token" {
		t.Errorf("metadata %s", r.raw)
	}
}
