package clerk

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestTicketSignIn(t *testing.T) {
	b := newBench(t)
	ticket := b.server("POST", "/sign_in_tokens", `{"user_id":"`+b.alice+`","expires_in_seconds":30}`)
	b.want(ticket, 200, "")
	form := url.Values{"strategy": {"ticket"}, "ticket": {ticket.body["token"].(string)}}
	r := b.native("POST", "/v1/client/sign_ins", "", form)
	b.want(r, 200, "")
	if r.at("response.object") != "sign_in_attempt" || r.at("response.status") != "complete" {
		t.Errorf("response %v", r.body["response"])
	}
	if r.at("client.sessions.0.id") != r.at("response.created_session_id") || r.at("client.sessions.0.user.id") != b.alice {
		t.Errorf("client %v", r.body["client"])
	}
	if r.clientJWT() == "" || r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", r.header)
	}
	b.want(b.native("POST", "/v1/client/sign_ins", "", form), 400, "sign_in_token_already_used_code")
}

func TestTicketRefused(t *testing.T) {
	b := newBench(t)
	ticketFor := func(lifetime time.Duration) string {
		ticket, err := b.Ticket(b.alice, lifetime)
		if err != nil {
			t.Fatal(err)
		}
		return ticket
	}
	good := ticketFor(time.Minute)
	sessionID, err := b.CreateSession(b.alice, "")
	if err != nil {
		t.Fatal(err)
	}
	sessionToken, err := b.SessionToken(sessionID)
	if err != nil {
		t.Fatal(err)
	}
	revoked := b.server("POST", "/sign_in_tokens", `{"user_id":"`+b.alice+`"}`)
	b.want(b.server("POST", "/sign_in_tokens/"+revoked.body["id"].(string)+"/revoke", ""), 200, "")
	for name, tt := range map[string]struct {
		form   url.Values
		status int
		code   string
	}{
		"missing":          {url.Values{"strategy": {"ticket"}}, 422, "form_param_missing"},
		"rubbish":          {url.Values{"strategy": {"ticket"}, "ticket": {"rubbish"}}, 400, "ticket_invalid_code"},
		"expired":          {url.Values{"strategy": {"ticket"}, "ticket": {ticketFor(-time.Second)}}, 400, "ticket_expired_code"},
		"revoked":          {url.Values{"strategy": {"ticket"}, "ticket": {revoked.body["token"].(string)}}, 400, "sign_in_token_revoked_code"},
		"forged":           {url.Values{"strategy": {"ticket"}, "ticket": {good[:len(good)-8] + "AAAAAAAA"}}, 400, "ticket_invalid_code"},
		"a session token":  {url.Values{"strategy": {"ticket"}, "ticket": {sessionToken}}, 400, "ticket_invalid_code"},
		"another strategy": {url.Values{"strategy": {"oauth_google"}}, 422, "form_param_value_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			r := b.native("POST", "/v1/client/sign_ins", "", tt.form)
			b.want(r, tt.status, tt.code)
			if r.clientJWT() != "" {
				t.Error("a refused sign-in made a client")
			}
			if r.at("errors.0.message") == "" || r.at("errors.0.long_message") == "" || r.body["clerk_trace_id"] == nil {
				t.Errorf("not ClerkErrors: %s", r.raw)
			}
		})
	}
}

// TestNativeRules covers what every Frontend API call has in common.
func TestNativeRules(t *testing.T) {
	b := newBench(t)
	clientJWT, _ := b.signIn(b.alice)
	type headers = map[string]string
	for name, tt := range map[string]struct {
		query   string
		headers headers
		status  int
		code    string
	}{
		"raw client JWT":            {"_is_native=1", headers{"Authorization": clientJWT}, 200, ""},
		"Bearer":                    {"_is_native=1", headers{"Authorization": "Bearer " + clientJWT}, 200, ""},
		"bearer in small letters":   {"_is_native=true", headers{"Authorization": "bearer " + clientJWT}, 200, ""},
		"no client yet":             {"_is_native=1", headers{"Authorization": ""}, 200, ""},
		"a known version":           {"_is_native=1&__clerk_api_version=2026-05-12", headers{"Authorization": clientJWT}, 200, ""},
		"no flag":                   {"", headers{"Authorization": clientJWT}, 401, "dev_browser_unauthenticated"},
		"flag off":                  {"_is_native=0", headers{"Authorization": clientJWT}, 401, "dev_browser_unauthenticated"},
		"Origin and Authorization":  {"_is_native=1", headers{"Authorization": clientJWT, "Origin": "http://app.test"}, 400, "origin_authorization_headers_conflict"},
		"unknown version":           {"_is_native=1&__clerk_api_version=1999-01-01", nil, 400, "api_version_invalid"},
		"version twice":             {"_is_native=1&__clerk_api_version=2026-05-12", headers{"Clerk-Api-Version": "2026-05-12"}, 400, "api_version_invalid"},
		"rubbish client JWT":        {"_is_native=1", headers{"Authorization": "rubbish"}, 401, "authentication_invalid"},
		"malformed query":           {"_is_native=1&x=%zz", headers{"Authorization": clientJWT}, 400, "malformed_request_parameters"},
		"somebody else's signature": {"_is_native=1", headers{"Authorization": clientJWT[:len(clientJWT)-8] + "AAAAAAAA"}, 401, "authentication_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			req := httptest.NewRequest("GET", "/v1/client?"+tt.query, nil)
			for name, value := range tt.headers {
				req.Header.Set(name, value)
			}
			b.want(b.do(req), tt.status, tt.code)
		})
	}
}

func TestNativeDisabled(t *testing.T) {
	b := newBench(t, func(o *Options) { o.NativeAPIDisabled = true })
	b.want(b.native("GET", "/v1/client", "", nil), 400, "native_api_disabled")
}

func TestUnknownPaths(t *testing.T) {
	b := newBench(t)
	b.want(b.native("GET", "/v1/client/nothing", "", nil), 404, "resource_not_found")
	b.want(b.native("PATCH", "/v1/client", "", nil), 404, "resource_not_found")
	b.want(b.server("GET", "/nothing", ""), 404, "resource_not_found")
}

func TestMethodTunnel(t *testing.T) {
	b := newBench(t)
	clientJWT, sessionID := b.signIn(b.alice)
	r := b.native("POST", "/v1/client", clientJWT, url.Values{"_method": {"GET"}})
	b.want(r, 200, "")
	if r.at("response.sessions.0.id") != sessionID {
		t.Errorf("tunnelled GET: %s", r.raw)
	}
	r = b.native("POST", "/v1/client?_method=DELETE", clientJWT, nil)
	b.want(r, 200, "")
	b.want(b.native("POST", "/v1/client/sessions/"+sessionID+"/tokens", r.clientJWT(), nil), 404, "resource_not_found")
}

func TestLargeBody(t *testing.T) {
	b := newBench(t)
	big := url.Values{"strategy": {"ticket"}, "ticket": {strings.Repeat("x", maxBody)}}
	b.want(b.native("POST", "/v1/client/sign_ins", "", big), 413, "request_body_too_large")
	b.want(b.server("POST", "/sign_in_tokens", `{"user_id":"`+strings.Repeat("x", maxBody)+`"}`), 413, "request_body_too_large")
}
