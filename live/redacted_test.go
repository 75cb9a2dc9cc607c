package live

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// planted are secrets and names that must not be in a transcript. Those that could be
// ordinary words have a mark.
var planted = map[string]string{
	"API token":  "planted-api-token-9f3a",
	"secret key": "sk_test_plantedSecretKey9f3a",
	"late":       "planted+late/secret=9f3a",
	"password":   "planted password 9f3a",
	"code":       "planted-code-9f3a",
	"ticket":     "planted-ticket-9f3a",

	"subject":           "google-oauth2|planted",
	"ticket of a query": "planted-query-9f3a",
	"refresh token":     "planted-refresh-9f3a",
	"device code":       "planted-device-9f3a",
	"API key":           "ak_plantedAPIkey9f3a+/=",
	"signature":         "plantedSignature9f3a",
	"a claim":           "planted-claim-9f3a",
	"organization":      "planted-organization",
	"e-mail":            "planted@person.example",
	"a host":            "planted.clerk.accounts.dev",
	"page":              "planted in a page",
	"cookie":            "planted-cookie-9f3a",
	"a database":        "planted-database-of-the-account",
	"name":              "Planted Person",
}

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// TestPlantedSecrets sends secrets in every part of a request, and receives them in every
// part of a response.
func TestPlantedSecrets(t *testing.T) {
	token := encode(`{"alg":"RS256","typ":"JWT"}`) + "." + encode(`{"sub":"`+planted["subject"]+`","iss":"https://`+planted["a host"]+`","email":"`+planted["e-mail"]+`","note":"`+planted["a claim"]+`","org_slug":"`+planted["organization"]+`"}`) + "." + planted["signature"]
	early := "the secret " + planted["late"] + " appears before it is known to be a secret"
	answers := []struct{ kind, body string }{
		{"text/plain", early},
		{"application/json", fmt.Sprintf(`{"secret":%q,"nested":[{"jwt":%q},{"refresh_token":%q}],"error":"no %s, %s or %s","name":"x"}`,
			planted["late"], token, planted["refresh token"], planted["API token"], token, planted["API key"])},
		{"application/json", fmt.Sprintf(`{"device_code":%q,"verification_uri_complete":"https://x/?user_code=%s","first_name":%q,"url":"https://x/?t=%s"}`,
			planted["device code"], planted["device code"], planted["name"], planted["ticket"])},
		{"application/json", fmt.Sprintf(`{"databases":[{"Name":%q,"Hostname":"%s.turso.io"}]}`, planted["a database"], planted["a database"])},
		{"text/html", "<p>" + planted["page"] + "</p>"},
		{"application/json; charset=utf-8", "{\"baton\":null}\n{\"jwt\":\"" + token + "\"}\n"},
		{"application/octet-stream", "\x00\x01" + planted["API token"]},
		{"application/json", `{"cut": "` + token[:60]},
	}
	next := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", answers[next].kind)
		w.Header().Set("Set-Cookie", "s="+planted["cookie"])
		w.Header().Set("Authorization", token)
		w.Header().Set("Location", "http://127.0.0.1/callback?code="+planted["code"]+"&state=s")
		fmt.Fprint(w, answers[next].body)
	}))
	defer server.Close()
	rec := newRecorder()
	settings{tursoToken: planted["API token"], secretKey: planted["secret key"], organization: planted["organization"]}.hide(rec.redactor)
	rec.name(planted["a host"], "Clerk host")
	client := &http.Client{Transport: rec.through("Turso API", server.URL, http.DefaultTransport), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	rec.ask("X1")
	for next = range answers {
		form := url.Values{"password": {planted["password"]}, "code": {planted["code"]}, "ticket": {planted["ticket"]}, "strategy": {"ticket"}}
		query := url.Values{"__clerk_ticket": {planted["ticket of a query"]}, "q": {planted["e-mail"]}, "token": {token}}
		path := "/v1/organizations/" + planted["organization"] + "/keys/" + url.PathEscape(planted["API key"])
		req, err := http.NewRequest(http.MethodPost, server.URL+path+"?"+query.Encode(), strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", "https://"+planted["a host"])
		switch next % 3 {
		case 0:
			req.Header.Set("Authorization", "Bearer "+planted["secret key"])
		case 1:
			req.SetBasicAuth("client", planted["secret key"])
		case 2:
			req.Header.Set("Authorization", token)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	server.Close()
	_, err := client.Get(server.URL + "/?authToken=" + url.QueryEscape(planted["late"]))
	if err == nil {
		t.Fatal("the closed server still accepts connections")
	}
	said := "got " + token + " and " + planted["late"] + " from " + planted["a host"] + ": " + err.Error()
	done := report{started: time.Now(), recorder: rec, left: errors.New(said), results: []result{
		{question: question{id: "X1", name: "planted", asked: "?"}, got: answer{"error": rec.text(said)}, differences: []string{rec.text(said)}},
		{question: question{id: "X2", name: "planted"}, skipped: said},
	}}
	transcript := done.transcript(nil)
	for name, secret := range planted {
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), encode(secret), base64.StdEncoding.EncodeToString([]byte("client:" + secret))} {
			if i := strings.Index(transcript, form); i >= 0 {
				t.Errorf("%s is in the transcript: %q", name, transcript[max(0, i-120):min(len(transcript), i+80)])
			}
		}
	}
	for _, want := range []string{"<secret>", "<e-mail>", "<Clerk host>", "<organization>", "<another>", `"alg":"RS256"`, "<part of a token>"} {
		if !strings.Contains(transcript, want) {
			t.Errorf("the transcript lacks %s", want)
		}
	}
}

// leaks matches what no transcript of the stack may contain.
var leaks = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8}|\b(sk|ak|mt|oat)_[A-Za-z0-9]{8}|alice|\bacme\b|-local-tenant|127\.0\.0\.1:\d+/(dbs|v1|v2)`)

// noLeaks checks that a transcript doesn't identify the stack's accounts.
func (s *stack) noLeaks(t *testing.T, transcript string) {
	t.Helper()
	for _, found := range leaks.FindAllStringIndex(transcript, 5) {
		t.Errorf("the transcript has %q", transcript[max(0, found[0]-80):min(len(transcript), found[1]+20)])
	}
	if strings.Contains(transcript, s.APIToken()) || strings.Contains(transcript, s.machine) {
		t.Error("the transcript contains a secret from the settings")
	}
}

// TestDryRun checks that a dry run prints the requests with the services' own addresses, and
// doesn't identify an account.
func TestDryRun(t *testing.T) {
	var out bytes.Buffer
	dryRun(t, settings{}, &out)
	for _, want := range []string{
		"# D2_turso_jwks_embedded_replica\n",
		"POST https://api.turso.tech/v1/organizations/<organization>/databases\n",
		"PUT https://api.turso.tech/v2/organizations/<organization>/jwks/zen-live-",
		"DELETE https://api.turso.tech/v2/organizations/<organization>/jwks/zen-live-",
		"DELETE https://api.turso.tech/v1/organizations/<organization>/databases/zen-live-",
		"POST https://api.clerk.com/v1/users\n", "DELETE https://api.clerk.com/v1/users/<user ", "POST https://<Auth0 domain>/oauth/token\n",
		"POST https://<Clerk host>/v1/client/sign_ins?", "POST https://<database host>", "GET https://<database host>", "(in the browser) http",
		"(a process, which sends its own) zen doctor --json\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the dry run lacks %q", want)
		}
	}
	for _, found := range leaks.FindAllString(out.String(), 5) {
		t.Errorf("the dry run has %q", found)
	}
	out.Reset()
	dryRun(t, settings{tursoToken: "t"}, &out)
	if text := out.String(); strings.Contains(text, "api.clerk.com") || !strings.Contains(text, "https://api.turso.tech/") {
		t.Error("with only a Turso token, the dry run isn't limited to Turso")
	}
}
