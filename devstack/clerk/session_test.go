package clerk

import (
	"testing"
	"time"
)

// TestSessionEnds checks that neither API mints tokens from an ended session, however it
// ended.
func TestSessionEnds(t *testing.T) {
	for name, end := range map[string]func(b *bench, clientJWT, id string){
		"revoked": func(b *bench, _, id string) { b.want(b.server("POST", "/sessions/"+id+"/revoke", ""), 200, "") },
		"expired": func(b *bench, _, _ string) { b.clock = b.clock.Add(DefaultSessionLifetime) },
		"ended": func(b *bench, clientJWT, id string) {
			b.want(b.native("POST", "/v1/client/sessions/"+id+"/end", clientJWT, nil), 200, "")
		},
		"removed": func(b *bench, clientJWT, id string) {
			b.want(b.native("POST", "/v1/client/sessions/"+id+"/remove", clientJWT, nil), 200, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			clientJWT, id := b.signIn(b.alice)
			end(b, clientJWT, id)
			for _, path := range []string{"/tokens", "/tokens/turso"} {
				b.want(b.server("POST", "/sessions/"+id+path, ""), 404, "resource_not_found")
			}
			if got := b.server("GET", "/sessions/"+id, "").body["status"]; got != name {
				t.Errorf("status %v, want %s", got, name)
			}
			if name == "revoked" || name == "expired" { // the client JWT is still current
				for _, path := range []string{"/tokens", "/tokens/turso", "/end"} {
					b.want(b.native("POST", "/v1/client/sessions/"+id+path, clientJWT, nil), 404, "resource_not_found")
				}
				if r := b.native("GET", "/v1/client", clientJWT, nil); r.at("response.sessions.0") != nil {
					t.Errorf("the client still lists it: %s", r.raw)
				}
			}
			if err := b.RevokeSession(id); err == nil {
				t.Error("RevokeSession of an ended session succeeded")
			}
			if ids := b.SessionIDs(b.alice); len(ids) != 0 {
				t.Errorf("active sessions %v", ids)
			}
		})
	}
}

func TestTouchOrganization(t *testing.T) {
	var b *bench
	var clientJWT, id, path string
	for _, none := range []bool{true, false} {
		b = newBench(t, func(o *Options) {
			o.NoActiveOrganization = none
			o.Organizations = []Organization{{Slug: "acme"}, {Slug: "beta"}, {Slug: "alien"}}
			o.Users = []User{{Email: "alice@example.test", Memberships: []Membership{
				{Organization: "acme", Role: "org:admin"}, {Organization: "beta", Role: "org:member"},
			}}}
		})
		clientJWT, id = b.signIn(b.alice)
		path = "/v1/client/sessions/" + id
		emptied := map[bool]string{false: "beta"}[none] // an instance that wants one of everybody keeps it
		for _, tt := range []struct{ send, slug string }{{"beta", "beta"}, {"", emptied}, {"acme", "acme"}} {
			r := b.native("POST", path+"/touch", clientJWT, map[string][]string{"active_organization_id": {tt.send}})
			b.want(r, 200, "")
			o, _ := b.claimsOf(b.mint(clientJWT, id, ""))["o"].(map[string]any)
			if slug, _ := o["slg"].(string); slug != tt.slug {
				t.Errorf("touched %q, token has %q", tt.send, slug)
			}
		}
	}
	b.want(b.native("POST", path+"/touch", clientJWT, map[string][]string{"active_organization_id": {"alien"}}), 404, "organization_not_found_or_unauthorized")
	b.want(b.native("POST", path+"/tokens", clientJWT, map[string][]string{"organization_id": {"alien"}}), 403, "not_a_member_in_organization")
	b.want(b.native("POST", path+"/tokens", clientJWT, map[string][]string{"organization_id": {"beta"}}), 200, "")
}

func TestFactorAge(t *testing.T) {
	b := newBench(t)
	clientJWT, id := b.signIn(b.alice)
	b.clock = b.clock.Add(7 * time.Minute)
	fva, _ := b.claimsOf(b.mint(clientJWT, id, ""))["fva"].([]any)
	if len(fva) != 2 || fva[0] != 7.0 || fva[1] != -1.0 {
		t.Errorf("fva %v", fva)
	}
}
