package auth0_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack/auth0"
)

func (b *bench) refresh(token, client string) reply {
	b.t.Helper()
	return b.post("/oauth/token", url.Values{"grant_type": {auth0.GrantRefresh}, "client_id": {client}, "refresh_token": {token}})
}

// TestReuse checks that reusing a refresh token revokes its whole family.
func TestReuse(t *testing.T) {
	b := newBench(t)
	first := b.tokens().text("refresh_token")
	r := b.refresh(first, "native")
	b.want(r, 200, "")
	second := r.text("refresh_token")
	if second == "" || second == first || b.claims(r.text("access_token"))["id"] != "db-1" {
		t.Fatalf("answer %v", r.body)
	}
	b.want(b.refresh(first, "native"), 403, "invalid_grant")
	b.want(b.refresh(second, "native"), 403, "invalid_grant")
}

func TestLeeway(t *testing.T) {
	b := newBench(t)
	first := b.tokens("client_id", "leeway").text("refresh_token")
	second := b.refresh(first, "leeway").text("refresh_token")
	again := b.refresh(first, "leeway")
	b.want(again, 200, "")
	b.want(b.refresh(second, "leeway"), 200, "")
	// Only the previous token may be reused.
	b.want(b.refresh(first, "leeway"), 403, "invalid_grant")
	b.want(b.refresh(again.text("refresh_token"), "leeway"), 403, "invalid_grant")

	first = b.tokens("client_id", "leeway").text("refresh_token")
	b.want(b.refresh(first, "leeway"), 200, "")
	b.advance(31 * time.Second)
	b.want(b.refresh(first, "leeway"), 403, "invalid_grant")
}

func TestRefreshRefuses(t *testing.T) {
	b := newBench(t)
	token := b.tokens().text("refresh_token")
	b.want(b.refresh("", "native"), 400, "invalid_request")
	b.want(b.refresh("x", "native"), 403, "invalid_grant")
	b.want(b.refresh(token, "leeway"), 403, "invalid_grant")
	b.SetAction(func(l *auth0.Login) {
		if l.Refresh {
			l.Deny("not any more")
		}
	})
	b.want(b.refresh(token, "native"), 403, "access_denied")
	b.SetAction(nil)
	r := b.refresh(token, "native")
	b.want(r, 200, "")
	b.advance(auth0.DefaultRefreshLifetime - time.Minute)
	r = b.refresh(r.text("refresh_token"), "native")
	b.want(r, 200, "")
	b.advance(time.Minute)
	b.want(b.refresh(r.text("refresh_token"), "native"), 403, "invalid_grant")
}

func TestRevoke(t *testing.T) {
	b := newBench(t)
	token := b.tokens().text("refresh_token")
	b.want(b.post("/oauth/revoke", url.Values{"client_id": {"native"}}), 400, "invalid_request")
	b.want(b.post("/oauth/revoke", url.Values{"client_id": {"native"}, "token": {"unknown"}}), 200, "")
	b.want(b.refresh(token, "native"), 200, "")
	token = b.tokens().text("refresh_token")
	b.want(b.post("/oauth/revoke", url.Values{"client_id": {"native"}, "token": {token}}), 200, "")
	b.want(b.refresh(token, "native"), 403, "invalid_grant")
	r := b.tokens()
	b.RevokeRefreshTokens(b.claims(r.text("id_token"))["sub"].(string))
	b.want(b.refresh(r.text("refresh_token"), "native"), 403, "invalid_grant")
}
