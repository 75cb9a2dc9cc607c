package clerk

import (
	"net/url"
	"strings"
	"testing"
)

func TestPasswordSignIn(t *testing.T) {
	b := newBench(t)
	if _, err := b.AddUser(User{Email: "codes@example.test"}); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		identifier, password string
		status               int
		code                 string
	}{
		"right":           {"alice@example.test", "alice-dev-password", 200, ""},
		"capital letters": {"Alice@Example.Test", "alice-dev-password", 200, ""},
		"wrong":           {"alice@example.test", "bob-dev-password", 422, "form_password_incorrect"},
		"empty":           {"alice@example.test", "", 422, "form_param_missing"},
		"nobody":          {"", "alice-dev-password", 422, "form_param_missing"},
		"unknown":         {"mallory@example.test", "x", 422, "form_identifier_not_found"},
		"has no password": {"codes@example.test", "x", 400, "strategy_for_user_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			r := b.native("POST", "/v1/client/sign_ins", "", url.Values{
				"strategy": {"password"}, "identifier": {tt.identifier}, "password": {tt.password},
			})
			b.want(r, tt.status, tt.code)
		})
	}
}

// TestEmailCode signs in as a terminal without a browser does.
func TestEmailCode(t *testing.T) {
	b := newBench(t)
	r := b.native("POST", "/v1/client/sign_ins", "", url.Values{"identifier": {"alice@example.test"}})
	b.want(r, 200, "")
	if r.at("response.status") != "needs_first_factor" || r.at("response.supported_first_factors.0.strategy") != "email_code" {
		t.Fatalf("sign in: %s", r.raw)
	}
	clientJWT := r.clientJWT()
	path := "/v1/client/sign_ins/" + r.at("response.id").(string)
	address, _ := r.at("response.supported_first_factors.0.email_address_id").(string)
	prepare := func(form url.Values) reply { return b.native("POST", path+"/prepare_first_factor", clientJWT, form) }
	attempt := func(form url.Values) reply { return b.native("POST", path+"/attempt_first_factor", clientJWT, form) }
	right := url.Values{"strategy": {"email_code"}, "email_address_id": {address}}
	code := func(code string) url.Values { return url.Values{"strategy": {"email_code"}, "code": {code}} }

	b.want(b.native("GET", path, clientJWT, nil), 200, "")
	b.want(b.native("GET", path, "", nil), 404, "resource_not_found")
	b.want(attempt(code("123456")), 400, "verification_missing")
	b.want(prepare(nil), 422, "form_param_missing")
	b.want(prepare(url.Values{"strategy": {"email_code"}}), 422, "form_param_missing")
	b.want(prepare(url.Values{"strategy": {"email_code"}, "email_address_id": {"idn_x"}}), 422, "form_param_value_invalid")
	b.want(prepare(url.Values{"strategy": {"phone_code"}}), 422, "form_param_value_invalid")
	b.want(prepare(right), 200, "")
	if len(b.code) != 6 {
		t.Fatalf("code %q", b.code)
	}
	b.want(attempt(nil), 422, "form_param_missing")
	b.want(attempt(url.Values{"strategy": {"email_code"}}), 422, "form_param_missing")
	b.want(attempt(url.Values{"strategy": {"totp"}, "code": {b.code}}), 422, "form_param_value_invalid")
	for range codeAttempts {
		b.want(attempt(code("x"+b.code)), 422, "form_code_incorrect")
	}
	b.want(attempt(code(b.code)), 400, "verification_failed")

	b.want(prepare(right), 200, "")
	b.clock = b.clock.Add(codeLifetime)
	b.want(attempt(code(b.code)), 400, "verification_expired")

	b.want(prepare(right), 200, "")
	done := attempt(code(b.code))
	b.want(done, 200, "")
	if done.at("response.status") != "complete" || done.clientJWT() == clientJWT {
		t.Errorf("complete: %s", done.raw)
	}
	id, _ := done.at("response.created_session_id").(string)
	b.mint(done.clientJWT(), id, "turso")
}

func TestEmailCodeAtOnce(t *testing.T) {
	b := newBench(t)
	r := b.native("POST", "/v1/client/sign_ins", "", url.Values{"strategy": {"email_code"}, "identifier": {"bob@example.test"}})
	b.want(r, 200, "")
	if r.at("response.first_factor_verification.status") != "unverified" || b.code == "" {
		t.Errorf("sign in: %s", r.raw)
	}
}

func TestTestAddress(t *testing.T) {
	b := newBench(t)
	if _, err := b.AddUser(User{Email: "dora+clerk_test@example.test"}); err != nil {
		t.Fatal(err)
	}
	r := b.native("POST", "/v1/client/sign_ins", "", url.Values{"strategy": {"email_code"}, "identifier": {"dora+clerk_test@example.test"}})
	path := "/v1/client/sign_ins/" + r.at("response.id").(string) + "/attempt_first_factor"
	b.want(b.native("POST", path, r.clientJWT(), url.Values{"strategy": {"email_code"}, "code": {"424242"}}), 200, "")
	if b.code != "" {
		t.Errorf("a code was sent: %s", b.code)
	}
}

func TestSignInWithoutIdentifier(t *testing.T) {
	b := newBench(t)
	r := b.native("POST", "/v1/client/sign_ins", "", nil)
	b.want(r, 200, "")
	if r.at("response.status") != "needs_identifier" {
		t.Errorf("sign in: %s", r.raw)
	}
	path := "/v1/client/sign_ins/" + r.at("response.id").(string)
	b.want(b.native("POST", path+"/attempt_first_factor", r.clientJWT(), url.Values{"strategy": {"password"}, "password": {"x"}}), 400, "strategy_for_user_invalid")
	b.want(b.native("POST", path+"/prepare_first_factor", r.clientJWT(), url.Values{"strategy": {"email_code"}}), 400, "strategy_for_user_invalid")
	b.want(b.native("POST", strings.Replace(path, "sia_", "sia_x", 1)+"/attempt_first_factor", r.clientJWT(), nil), 404, "resource_not_found")
}
