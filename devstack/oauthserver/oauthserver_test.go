package oauthserver

import (
	"net/http/httptest"
	"net/url"
	"testing"
)

func TestCredentials(t *testing.T) {
	form := url.Values{"client_id": {"a"}, "client_secret": {"b"}}
	r := httptest.NewRequest("POST", "/", nil)
	if id, secret := Credentials(r, form); id != "a" || secret != "b" {
		t.Errorf("by form: %q %q", id, secret)
	}
	r.SetBasicAuth("c%3A", "d+e")
	if id, secret := Credentials(r, form); id != "c:" || secret != "d e" {
		t.Errorf("by Basic: %q %q", id, secret)
	}
}

// The example of RFC 7636, appendix B.
func TestChallenge(t *testing.T) {
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	if !ValidChallenge(challenge) || ValidChallenge(challenge+"=") || ValidChallenge("") {
		t.Error("ValidChallenge is wrong about the form of a challenge")
	}
	if !Verifies(challenge, verifier) || Verifies(challenge, "x") {
		t.Error("Verifies is wrong about the verifier")
	}
}

func TestAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"http://127.0.0.1:1/callback?x=1": "http://127.0.0.1:1", "http://[::1]:1/callback": "http:", "app:/callback": "app:", "nowhere": "", "%": "",
	} {
		if got := Origin(address); got != want {
			t.Errorf("Origin(%q) is %q, want %q", address, got, want)
		}
	}
	if got := Reply("http://a.test/?x=1", url.Values{"code": {"c"}}); got != "http://a.test/?x=1&code=c" {
		t.Error(got)
	}
	if !SameUserCode("ABCD-EFGH", "abcd efgh") || SameUserCode("ABCD-EFGH", "ABCD-EFGX") {
		t.Error("SameUserCode is wrong about the typed code")
	}
}

func TestAllowsRedirect(t *testing.T) {
	registered := []string{"https://app.test/back", "http://127.0.0.1/back", "http://[::1]/back"}
	for address, want := range map[string]bool{
		"https://app.test/back": true, "https://app.test:1/back": false, "https://app.test/other": false,
		"http://127.0.0.1/back": true, "http://127.0.0.1:4711/back": true, "http://127.0.0.1:4711/": false, "https://127.0.0.1:4711/back": false,
		"http://127.0.0.1:4711/back#x": false, "http://me@127.0.0.1:4711/back": false, "http://localhost:4711/back": false,
		"http://[::1]:4711/back": true, "%": false,
	} {
		if got := AllowsRedirect(registered, address, "127.0.0.1", "::1"); got != want {
			t.Errorf("%s: AllowsRedirect = %v", address, got)
		}
	}
	if AllowsRedirect(registered, "http://[::1]:4711/back", "127.0.0.1") {
		t.Error("AllowsRedirect accepts a loopback host that isn't in its list")
	}
}
