package auth0_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack/auth0"
	"github.com/zen-auth/zen/devstack/browse"
)

func (b *bench) device() reply {
	b.t.Helper()
	r := b.post("/oauth/device/code", url.Values{"client_id": {"native"}, "scope": {"openid offline_access"}, "audience": {auth0.DefaultAudience}})
	b.want(r, 200, "")
	return r
}

func (b *bench) poll(device reply) reply {
	b.t.Helper()
	return b.post("/oauth/token", url.Values{"grant_type": {auth0.GrantDevice}, "client_id": {"native"}, "device_code": {device.text("device_code")}})
}

func TestDevice(t *testing.T) {
	b := newBench(t)
	d := b.device()
	if d.body["interval"] != 5.0 || d.body["expires_in"] != 900.0 || d.text("verification_uri") != b.url+"/activate" {
		t.Errorf("answer %v", d.body)
	}
	b.want(b.poll(d), 403, "authorization_pending")
	b.want(b.poll(d), 429, "slow_down")
	b.advance(5 * time.Second)
	b.want(b.poll(d), 403, "authorization_pending")
	if err := browse.Visit(context.Background(), browse.Person{User: "alice"}, d.text("verification_uri_complete"), nil); err != nil {
		t.Fatal(err)
	}
	r := b.poll(d)
	b.want(r, 200, "")
	if b.claims(r.text("access_token"))["id"] != "db-1" || r.text("refresh_token") == "" || r.text("id_token") == "" {
		t.Errorf("answer %v", r.body)
	}
	b.want(b.poll(d), 403, "invalid_grant")
}

func TestDeviceTypedCode(t *testing.T) {
	b := newBench(t)
	d := b.device()
	typed := strings.ToLower(strings.ReplaceAll(d.text("user_code"), "-", ""))
	who := &browse.Browser{Person: browse.Person{User: "alice"}, UserCode: typed}
	if _, err := who.Visit(context.Background(), d.text("verification_uri")); err != nil {
		t.Fatal(err)
	}
	b.want(b.poll(d), 200, "")
	who = &browse.Browser{Person: browse.Person{User: "alice"}, UserCode: "BBBB-BBBB"}
	if _, err := who.Visit(context.Background(), d.text("verification_uri")); err == nil || !strings.Contains(err.Error(), "incorrect or has expired") {
		t.Errorf("a wrong code: %v", err)
	}
}

func TestDeviceRefused(t *testing.T) {
	b := newBench(t)
	d := b.device()
	who := &browse.Browser{Person: browse.Person{User: "alice"}, Cancel: true}
	if _, err := who.Visit(context.Background(), d.text("verification_uri_complete")); err != nil {
		t.Fatal(err)
	}
	b.want(b.poll(d), 403, "access_denied")

	d = b.device()
	b.advance(15 * time.Minute)
	b.want(b.poll(d), 403, "expired_token")
	b.want(b.poll(d), 403, "invalid_grant")

	for name, tt := range map[string]struct {
		form   url.Values
		status int
		code   string
	}{
		"an application with organizations": {url.Values{"client_id": {"teams"}}, 403, "unauthorized_client"},
		"grant not allowed":                 {url.Values{"client_id": {"web"}, "client_secret": {"s3cret"}}, 403, "unauthorized_client"},
		"unknown client":                    {url.Values{"client_id": {"nobody"}}, 403, "invalid_request"},
		"unknown audience":                  {url.Values{"client_id": {"native"}, "audience": {"x"}}, 403, "access_denied"},
	} {
		t.Run(name, func(t *testing.T) { b.want(b.post("/oauth/device/code", tt.form), tt.status, tt.code) })
	}
	b.want(b.post("/oauth/token", url.Values{"grant_type": {auth0.GrantDevice}, "client_id": {"native"}}), 400, "invalid_request")
}
