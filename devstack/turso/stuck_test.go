package turso

import (
	"crypto"
	"testing"

	"github.com/zen-auth/zen/devstack/fault"
)

// A Turso user's report: three registrations with a limit of two, none can be removed or
// saved, and a valid token of the right issuer is refused.
func TestJWKSStuck(t *testing.T) {
	f := newFixture(t, Options{})
	iss := newIssuer(t, map[string]crypto.Signer{"ins_1": rsaKeys()[0]})
	const path = "/v2/organizations/acme/jwks"
	token := signWith(t, rsaKeys()[0], "ins_1", f.claims(nil))
	minted, err := f.CreateDatabaseToken("acme", "app", TokenOptions{})
	must(t, err)
	list := func() []any {
		return f.call("list", "GET", path, f.alice, "", 200, "")["jwks"].([]any)
	}
	for _, registered := range []int{1, 0} {
		if registered == 1 {
			must(t, f.RegisterJWKS("acme", "Zedi Clerk", iss.url))
			f.accepted("before the fault", "app", token)
		}
		must(t, f.faults.Switch(fault.JWKSStuck, true))
		f.refused("with the fault", "app", token, 401, textNoKey)
		f.accepted("minted token with the fault", "app", minted)
		entries := list()
		if len(entries) != 3 {
			t.Errorf("%d registrations listed, want 3: %v", len(entries), entries)
		}
		for _, e := range entries {
			name := e.(map[string]any)["jwks_name"].(string)
			f.call("remove "+name, "DELETE", path+"/"+urlEscape(name), f.alice, `{"region":""}`, 500, `{"error":"internal server error"}`)
		}
		f.call("save a new one", "PUT", path+"/new", f.alice, `{"jwks_url":"https://new.test/"}`, 400, `{"error":"jwks count limit(2) exceeded"}`)
		f.call("save the same one", "PUT", path+"/Zedi%20Clerk", f.alice, `{"jwks_url":"`+iss.url+`"}`, 400, `{"error":"jwks count limit(2) exceeded"}`)
		must(t, f.faults.Switch(fault.JWKSStuck, false))
		if n := len(list()); n != registered {
			t.Errorf("%d registrations after the fault, want %d", n, registered)
		}
		if registered == 1 {
			f.accepted("after the fault", "app", token)
			f.call("remove", "DELETE", path+"/Zedi%20Clerk", f.alice, "", 200, "")
		}
	}
}
