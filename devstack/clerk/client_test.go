package clerk

import (
	"net/url"
	"testing"
	"time"
)

// TestClientJWTRotates checks that each sign-in and sign-out changes the client JWT, and
// that the old one is invalid at once.
func TestClientJWTRotates(t *testing.T) {
	b := newBench(t)
	empty := b.native("POST", "/v1/client", "", nil).clientJWT()
	if empty == "" {
		t.Fatal("POST /v1/client made no client")
	}
	if again := b.native("GET", "/v1/client", empty, nil).clientJWT(); again != empty {
		t.Error("reading the client rotated its JWT")
	}
	r := b.native("POST", "/v1/client/sign_ins", empty, url.Values{
		"strategy": {"password"}, "identifier": {"alice@example.test"}, "password": {"alice-dev-password"},
	})
	b.want(r, 200, "")
	signedIn, sessionID := r.clientJWT(), r.at("response.created_session_id").(string)
	if signedIn == empty {
		t.Error("signing in did not rotate the client JWT")
	}

	stale := b.native("POST", "/v1/client/sessions/"+sessionID+"/tokens", empty, nil)
	b.want(stale, 401, "signed_out")
	if jwt := stale.clientJWT(); jwt == "" || jwt == empty || jwt == signedIn {
		t.Errorf("stale client JWT: the replacement is %.20q", jwt)
	} else {
		b.want(b.native("POST", "/v1/client/sessions/"+sessionID+"/tokens", jwt, nil), 404, "resource_not_found")
	}

	ended := b.native("POST", "/v1/client/sessions/"+sessionID+"/end", signedIn, nil)
	b.want(ended, 200, "")
	if ended.at("response.status") != "ended" || ended.clientJWT() == signedIn {
		t.Errorf("end: %s", ended.raw)
	}
	b.want(b.native("GET", "/v1/client", signedIn, nil), 401, "signed_out")
	b.want(b.native("POST", "/v1/client/sessions/"+sessionID+"/tokens", ended.clientJWT(), nil), 404, "resource_not_found")
}

func TestRotationGrace(t *testing.T) {
	b := newBench(t, func(o *Options) { o.RotationGrace = 10 * time.Second })
	first := b.native("POST", "/v1/client", "", nil).clientJWT()
	r := b.native("POST", "/v1/client/sign_ins", first, url.Values{
		"strategy": {"password"}, "identifier": {"bob@example.test"}, "password": {"bob-dev-password"},
	})
	path := "/v1/client/sessions/" + r.at("response.created_session_id").(string) + "/tokens"
	graced := b.native("POST", path, first, nil)
	b.want(graced, 200, "")
	if graced.clientJWT() != r.clientJWT() {
		t.Error("a call within the grace did not get the current client JWT")
	}
	b.clock = b.clock.Add(10 * time.Second)
	b.want(b.native("POST", path, first, nil), 401, "signed_out")
	b.want(b.native("POST", path, r.clientJWT(), nil), 200, "")
}

func TestNoClient(t *testing.T) {
	b := newBench(t)
	_, sessionID := b.signIn(b.alice)
	r := b.native("GET", "/v1/client", "", nil)
	b.want(r, 200, "")
	if r.body["response"] != nil {
		t.Errorf("no client, yet %s", r.raw)
	}
	b.want(b.native("DELETE", "/v1/client", "", nil), 200, "")
	for _, path := range []string{"/tokens", "/tokens/turso", "/end", "/remove", "/touch"} {
		b.want(b.native("POST", "/v1/client/sessions/"+sessionID+path, "", nil), 401, "signed_out")
	}
	b.want(b.native("GET", "/v1/me?_clerk_session_id="+sessionID, "", nil), 401, "authentication_invalid")
}

// TestOtherClient checks that only its client can use a session.
func TestOtherClient(t *testing.T) {
	b := newBench(t)
	_, sessionID := b.signIn(b.alice)
	bob, _ := b.signIn(b.bob)
	for _, path := range []string{"/tokens", "/tokens/turso", "/end", "/remove", "/touch"} {
		b.want(b.native("POST", "/v1/client/sessions/"+sessionID+path, bob, nil), 404, "resource_not_found")
	}
	b.want(b.native("GET", "/v1/client/sessions/"+sessionID, bob, nil), 404, "resource_not_found")
	b.want(b.native("GET", "/v1/me?_clerk_session_id="+sessionID, bob, nil), 401, "authentication_invalid")
}

func TestDeleteClient(t *testing.T) {
	for _, path := range []string{"/v1/client", "/v1/client/sessions"} {
		b := newBench(t, func(o *Options) { o.MultiSession = true })
		first, one := b.signIn(b.alice)
		ticket, err := b.Ticket(b.bob, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		r := b.native("POST", "/v1/client/sign_ins", first, url.Values{"strategy": {"ticket"}, "ticket": {ticket}})
		two := r.at("response.created_session_id").(string)
		gone := b.native("DELETE", path, r.clientJWT(), nil)
		b.want(gone, 200, "")
		for _, id := range []string{one, two} {
			b.want(b.native("POST", "/v1/client/sessions/"+id+"/tokens", gone.clientJWT(), nil), 404, "resource_not_found")
			if status := b.server("GET", "/sessions/"+id, "").body["status"]; status != "removed" {
				t.Errorf("session %s is %v", id, status)
			}
		}
	}
}

func TestSingleSession(t *testing.T) {
	b := newBench(t)
	clientJWT, _ := b.signIn(b.alice)
	ticket, err := b.Ticket(b.bob, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"strategy": {"ticket"}, "ticket": {ticket}}
	b.want(b.native("POST", "/v1/client/sign_ins", clientJWT, form), 400, "session_exists")
	b.want(b.native("POST", "/v1/client/sign_ins", "", form), 200, "") // the ticket was not used up
}

func TestMe(t *testing.T) {
	b := newBench(t)
	clientJWT, sessionID := b.signIn(b.alice)
	r := b.native("GET", "/v1/me?_clerk_session_id="+sessionID, clientJWT, nil)
	b.want(r, 200, "")
	if r.at("response.email_addresses.0.email_address") != "alice@example.test" ||
		r.at("response.organization_memberships.0.organization.slug") != "acme" ||
		r.at("response.organization_memberships.0.role") != "org:admin" {
		t.Errorf("me: %s", r.raw)
	}
}
