package auth0_test

import (
	"testing"

	"github.com/zen-auth/zen/devstack/jose/josetest"
)

// TestRotation checks that the next key is published before it signs, and that tokens of
// the previous one stay valid until it is revoked.
func TestRotation(t *testing.T) {
	b := newBench(t)
	old := b.tokens().text("access_token")
	ids := b.KeyIDs()
	var set struct{ Keys []any }
	if err := josetest.Get(b.url+"/.well-known/jwks.json", &set); err != nil || len(ids) != 2 || len(set.Keys) != 2 {
		t.Fatalf("keys %v, of which %d are published: %v", ids, len(set.Keys), err)
	}
	if err := b.RotateKey(); err != nil {
		t.Fatal(err)
	}
	token, err := b.parse(b.tokens().text("access_token"))
	if err != nil || token.Header["kid"] != ids[1] {
		t.Errorf("signed with %v, want the next key %s: %v", token.Header["kid"], ids[1], err)
	}
	if _, err := b.parse(old); err != nil {
		t.Errorf("a token of the previous key: %v", err)
	}
	if err := b.RevokeKey(ids[1]); err == nil {
		t.Error("the signing key could be revoked")
	}
	if err := b.RevokeKey(ids[0]); err != nil {
		t.Error(err)
	}
	if _, err := b.parse(old); err == nil {
		t.Error("a token of a revoked key verifies")
	}
}
