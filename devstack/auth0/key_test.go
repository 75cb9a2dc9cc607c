package auth0_test

import (
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"testing"
)

func publicKey(t *testing.T, n, e string) *rsa.PublicKey {
	t.Helper()
	modulus, err := base64.RawURLEncoding.DecodeString(n)
	if err != nil {
		t.Fatal(err)
	}
	exponent, err := base64.RawURLEncoding.DecodeString(e)
	if err != nil {
		t.Fatal(err)
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(new(big.Int).SetBytes(exponent).Int64())}
}

// TestRotation: the next key is known before it signs, and tokens of the previous
// one stay good until it is revoked.
func TestRotation(t *testing.T) {
	b := newBench(t)
	old := b.tokens().text("access_token")
	ids := b.KeyIDs()
	if len(ids) != 2 || len(b.keySet()) != 2 {
		t.Fatalf("keys %v", ids)
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
		t.Error("the key that signs was revoked")
	}
	if err := b.RevokeKey(ids[0]); err != nil {
		t.Error(err)
	}
	if _, err := b.parse(old); err == nil {
		t.Error("a token of a revoked key verifies")
	}
}
