package clerk

import (
	"bytes"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// TestRestore checks that sign-ins survive a restart.
func TestRestore(t *testing.T) {
	old := newOAuthBench(t)
	if err := old.RotateKey(Rotation{NewKeyID: true, Overlap: true}); err != nil {
		t.Fatal(err)
	}
	alice := old.team(old.alice)
	old.want(alice.call("POST", "/v1/organizations/acme/invitations", "email_address", "c@x.test", "role", "org:member"), 200, "")
	key := old.server("POST", "/api_keys", `{"name":"ci key","subject":"`+old.alice+`","claims":{"n":1}}`)
	old.server("PATCH", "/users/"+old.bob+"/metadata", `{"public_metadata":{"perm":["x"]},"private_metadata":{"y":1}}`)
	refresh := old.tokens().body["refresh_token"].(string)
	var saved bytes.Buffer
	if err := old.Save(&saved); err != nil {
		t.Fatal(err)
	}

	b := newOAuthBench(t)
	if err := b.Restore(bytes.NewReader(saved.Bytes())); err != nil {
		t.Fatal(err)
	}
	claims := b.parse(b.mint(alice.clientJWT, alice.sessionID, "turso")).Claims.(jwt.MapClaims)
	if claims["sub"] != old.alice || claims["who"] != "Alice of acme" {
		t.Errorf("claims %v", claims)
	}
	if len(b.keySet()) != 2 || b.keySet()[0]["kid"] != old.keySet()[0]["kid"] {
		t.Errorf("keys %v", b.keySet())
	}
	alice.bench = b.bench
	if r := alice.call("GET", "/v1/organizations/acme/invitations"); r.at("response.data.0.email_address") != "c@x.test" {
		t.Errorf("invitations %s", r.raw)
	}
	if v := b.server("POST", "/api_keys/verify", `{"secret":"`+key.body["secret"].(string)+`"}`); v.at("claims.n") != 1.0 {
		t.Errorf("API key %s", v.raw)
	}
	if u := b.server("GET", "/users/"+old.bob, ""); u.at("public_metadata.perm.0") != "x" || u.at("private_metadata.y") != 1.0 {
		t.Errorf("user %s", u.raw)
	}
	b.wantOAuth(b.refresh(refresh), 200, "")

	for name, text := range map[string]string{
		"not JSON":        "x",
		"another version": strings.Replace(saved.String(), `"Version":1`, `"Version":2`, 1),
		"no keys":         `{"Version":1}`,
		"a lost user":     strings.ReplaceAll(saved.String(), `"User":"`+old.alice, `"User":"x`+old.alice),
	} {
		if err := b.Restore(strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), "clerk: restore: ") {
			t.Errorf("%s: Restore = %v", name, err)
		}
	}
	b.mint(alice.clientJWT, alice.sessionID, "turso")
}
