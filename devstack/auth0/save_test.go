package auth0_test

import (
	"bytes"
	"strings"
	"testing"
)

// TestRestore checks that sign-ins, and revocations, survive a restart.
func TestRestore(t *testing.T) {
	old := newBench(t)
	spent := old.tokens().text("refresh_token")
	kept := old.tokens("client_id", "teams")
	old.want(old.refresh(spent, "native"), 200, "")
	if err := old.RotateKey(); err != nil {
		t.Fatal(err)
	}
	var saved bytes.Buffer
	if err := old.Save(&saved); err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	if err := b.Restore(bytes.NewReader(saved.Bytes())); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(b.KeyIDs(), " "), strings.Join(old.KeyIDs(), " "); got != want {
		t.Errorf("keys %s, want %s", got, want)
	}
	r := b.refresh(kept.text("refresh_token"), "teams")
	b.want(r, 200, "")
	if claims := b.claims(r.text("access_token")); claims["sub"] != old.claims(kept.text("id_token"))["sub"] || claims["org_id"] == nil {
		t.Errorf("claims %v", claims)
	}
	b.want(b.refresh(spent, "native"), 403, "invalid_grant")
	b.tokens()
	for name, text := range map[string]string{
		"not JSON": "x", "another version": `{"Version":2}`, "no keys": `{"Version":1}`,
		"a lost organization": strings.ReplaceAll(saved.String(), `"Name":"acme"`, `"Name":"other"`),
	} {
		if err := b.Restore(strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), "auth0: restore: ") {
			t.Errorf("%s: Restore = %v", name, err)
		}
	}
	b.tokens()
}
