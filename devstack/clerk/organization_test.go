package clerk

import (
	"net/url"
	"slices"
	"testing"
)

// team sends calls as the signed-in user of a session.
type team struct {
	*bench
	clientJWT, sessionID string
}

func (b *bench) team(userID string) team {
	clientJWT, sessionID := b.signIn(userID)
	return team{b, clientJWT, sessionID}
}

func (t team) call(method, path string, form ...string) reply {
	t.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	separator := "?"
	if slices.Contains([]string{"PATCH", "DELETE"}, method) {
		// Requests as clerk-js sends them.
		method, separator = "POST", "?_method="+method+"&"
	}
	return t.native(method, path+separator+"_clerk_session_id="+t.sessionID, t.clientJWT, values)
}

func TestInvitations(t *testing.T) {
	b := newBench(t)
	alice := b.team(b.alice)
	const invitations = "/v1/organizations/acme/invitations"
	r := alice.call("POST", invitations, "email_address", "carol@example.test", "role", "org:member")
	b.want(r, 200, "")
	id := r.at("response.id").(string)
	if r.at("response.status") != "pending" || r.at("response.public_organization_data.slug") != "acme" || r.at("client.id") == nil {
		t.Errorf("invitation %s", r.raw)
	}
	b.want(alice.call("POST", invitations, "email_address", "CAROL@example.test", "role", "org:member"), 400, "organization_invitation_not_unique")
	b.want(alice.call("POST", invitations, "email_address", "alice@example.test", "role", "org:member"), 400, "already_a_member_in_organization")
	b.want(alice.call("POST", invitations, "role", "org:member"), 422, "form_param_missing")
	b.want(alice.call("POST", invitations, "email_address", "dan@example.test"), 422, "form_param_missing")
	b.want(alice.call("POST", invitations, "email_address", "dan", "role", "org:member"), 422, "form_param_value_invalid")
	b.want(alice.call("POST", invitations, "email_address", "dan@example.test", "role", "king"), 422, "form_param_value_invalid")
	if r := alice.call("GET", invitations); r.at("response.total_count") != 1.0 || r.at("response.data.0.id") != id {
		t.Errorf("list %s", r.raw)
	}
	carolID, err := b.AddUser(User{Email: "carol@example.test"})
	if err != nil {
		t.Fatal(err)
	}
	carol := b.team(carolID)
	if r := carol.call("GET", "/v1/me/organization_invitations"); r.at("response.data.0.id") != id {
		t.Errorf("my invitations %s", r.raw)
	}
	b.want(carol.call("POST", "/v1/me/organization_invitations/"+id+"/accept"), 200, "")
	b.want(carol.call("POST", "/v1/me/organization_invitations/"+id+"/accept"), 400, "organization_invitation_already_accepted")
	b.want(alice.call("POST", invitations+"/"+id+"/revoke"), 404, "organization_invitation_not_pending")
	// A member may only list the members.
	b.want(carol.call("GET", "/v1/organizations/acme/memberships"), 200, "")
	b.want(carol.call("GET", invitations), 403, "missing_organization_permission")
	b.want(carol.call("POST", invitations, "email_address", "x@example.test", "role", "org:member"), 403, "missing_organization_permission")
	b.want(b.team(b.bob).call("GET", invitations), 404, "organization_not_found_or_unauthorized")

	r = alice.call("POST", invitations, "email_address", "dan@example.test", "role", "org:admin")
	dan := r.at("response.id").(string)
	if r := alice.call("GET", invitations+"/pending"); r.at("response.total_count") != 1.0 || r.at("response.data.0.id") != dan {
		t.Errorf("pending %s", r.raw)
	}
	b.want(alice.call("POST", invitations+"/"+dan+"/revoke"), 200, "")
	b.want(alice.call("POST", invitations+"/orginv_x/revoke"), 404, "organization_invitation_not_found")
	for _, email := range []string{"e@x.test", "f@x.test", "g@x.test"} {
		b.want(alice.call("POST", invitations, "email_address", email, "role", "org:member"), 200, "")
	}
	b.want(alice.call("POST", invitations, "email_address", "h@x.test", "role", "org:member"), 403, "organization_membership_quota_exceeded")
	b.clock = b.clock.AddDate(0, 0, defaultInvitationDays)
	if r := b.server("GET", "/organizations/acme/invitations?status=expired", ""); r.at("total_count") != 3.0 {
		t.Errorf("expired %s", r.raw)
	}
}

func TestOwnOrganization(t *testing.T) {
	b := newBench(t)
	bob := b.team(b.bob)
	r := bob.call("POST", "/v1/organizations", "name", "Bob & Sons")
	b.want(r, 200, "")
	if r.at("response.slug") != "bob-sons" {
		t.Errorf("organization %s", r.raw)
	}
	b.want(bob.call("POST", "/v1/organizations", "name", "Acme"), 422, "form_identifier_exists")
	b.want(bob.call("POST", "/v1/organizations"), 422, "form_param_missing")
	invitations := "/v1/organizations/" + r.at("response.id").(string) + "/invitations"
	b.want(bob.call("POST", invitations+"/bulk", "email_address", "c@x.test", "role", "org:member"), 200, "")
	b.want(bob.call("POST", invitations+"/bulk", "email_address", "d@x.test", "email_address[]", "c@x.test", "role", "org:member"), 400, "organization_invitation_not_unique")
	if r := bob.call("GET", invitations); r.at("response.total_count") != 1.0 {
		t.Errorf("invitations %s", r.raw)
	}
}

func TestMembers(t *testing.T) {
	b := newBench(t)
	alice := b.team(b.alice)
	const members = "/v1/organizations/acme/memberships"
	r := alice.call("GET", members)
	if list, ok := r.body["response"].([]any); !ok || len(list) != 1 || r.at("response.0.public_user_data.identifier") != "alice@example.test" {
		t.Errorf("members %s", r.raw)
	}
	b.want(alice.call("POST", members, "user_id", b.bob, "role", "org:member"), 200, "")
	b.want(alice.call("POST", members, "user_id", b.bob, "role", "org:member"), 400, "already_a_member_in_organization")
	b.want(alice.call("POST", members, "user_id", "user_x", "role", "org:member"), 404, "resource_not_found")
	b.want(alice.call("PATCH", members+"/"+b.alice, "role", "org:member"), 400, "organization_minimum_permissions_needed")
	b.want(alice.call("DELETE", members+"/"+b.alice), 400, "organization_minimum_permissions_needed")
	r = alice.call("PATCH", members+"/"+b.bob, "role", "org:admin")
	b.want(r, 200, "")
	if r.at("response.role_name") != "Admin" {
		t.Errorf("changed %s", r.raw)
	}
	bob := b.team(b.bob)
	b.want(bob.call("DELETE", members+"/"+b.alice), 200, "")
	b.want(alice.call("GET", members), 404, "organization_not_found_or_unauthorized")
	if r := bob.call("GET", "/v1/me/organization_memberships"); len(r.body["response"].([]any)) != 2 {
		t.Errorf("my memberships %s", r.raw)
	}
	b.want(bob.call("GET", "/v1/organizations/acme"), 200, "")
	b.want(b.native("GET", members, bob.clientJWT, nil), 401, "authentication_invalid")
	if r := b.native("GET", "/v1/environment", "", nil); r.status != 200 || r.at("auth_config.single_session_mode") != true {
		t.Errorf("environment %s", r.raw)
	}
}

func TestBackendOrganizations(t *testing.T) {
	b := newBench(t)
	r := b.server("POST", "/organizations", `{"name":"New Corp","created_by":"`+b.bob+`"}`)
	b.want(r, 200, "")
	id := r.body["id"].(string)
	if r.body["slug"] != "new-corp" || r.body["members_count"] != 1.0 {
		t.Errorf("organization %s", r.raw)
	}
	b.want(b.server("POST", "/organizations", `{"name":"x","slug":"acme"}`), 422, "form_identifier_exists")
	b.want(b.server("POST", "/organizations", `{}`), 422, "form_param_missing")
	if r := b.server("GET", "/organizations?query=corp", ""); r.at("total_count") != 1.0 || r.at("data.0.id") != id {
		t.Errorf("list %s", r.raw)
	}
	b.want(b.server("POST", "/organizations/"+id+"/memberships", `{"user_id":"`+b.alice+`","role":"org:member"}`), 200, "")
	if r := b.server("GET", "/organizations/"+id+"/memberships?role=org:member", ""); r.at("total_count") != 1.0 || r.at("data.0.public_user_data.user_id") != b.alice {
		t.Errorf("members %s", r.raw)
	}
	if r := b.server("GET", "/users/"+b.alice+"/organization_memberships", ""); r.at("total_count") != 2.0 {
		t.Errorf("memberships %s", r.raw)
	}
	b.want(b.server("PATCH", "/organizations/"+id+"/memberships/"+b.alice, `{"role":"org:admin"}`), 200, "")
	b.want(b.server("DELETE", "/organizations/"+id+"/memberships/"+b.alice, ""), 200, "")
	r = b.server("POST", "/organizations/"+id+"/invitations", `{"email_address":"c@x.test","role":"org:member","inviter_user_id":"`+b.bob+`","expires_in_days":1}`)
	b.want(r, 200, "")
	if r.body["inviter_id"] != b.bob {
		t.Errorf("invitation %s", r.raw)
	}
	b.want(b.server("POST", "/organizations/"+id+"/invitations", `{"email_address":"d@x.test","role":"org:member","inviter_user_id":"`+b.alice+`"}`), 403, "missing_organization_permission")
	b.want(b.server("POST", "/organizations/"+id+"/invitations", `{"email_address":"d@x.test","role":"org:member","expires_in_days":366}`), 422, "form_param_value_invalid")
	invitation := "/organizations/" + id + "/invitations/" + r.body["id"].(string)
	b.want(b.server("GET", invitation, ""), 200, "")
	b.want(b.server("POST", invitation+"/revoke", `{"requesting_user_id":"`+b.bob+`"}`), 200, "")
	b.want(b.server("POST", invitation+"/revoke", ""), 404, "organization_invitation_not_pending")
	b.want(b.server("GET", "/organizations?limit=0", ""), 422, "form_param_value_invalid")
	b.want(b.server("DELETE", "/organizations/"+id, ""), 200, "")
	b.want(b.server("GET", "/organizations/"+id, ""), 404, "resource_not_found")
}
