package main

import (
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack/clerk"
)

// The error for an ended session says so, although Clerk has the same code for it and for
// a missing template.
func TestAnEndedSessionIsNoMissingTemplate(t *testing.T) {
	b := newBench(t)
	p := b.provider()
	credential := b.ticket(p, alice)
	token := func() error {
		response, err := p.Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: b.target()})
		if response.Credential != nil {
			credential = *response.Credential
		}
		return err
	}
	if err := token(); err != nil {
		t.Fatal(err)
	}
	for _, fault := range []string{clerk.FaultSessionGone, clerk.FaultUserBanned} {
		b.with(fault)
		fails(t, fault, token(), provider.ErrRejected, "the session has ended", "banned", "run zen login")
	}
	b.with(clerk.FaultTemplateMissing)
	fails(t, "no template", token(), provider.ErrConfig, `no JWT template named "turso"`)
	b.with()
	if err := token(); err != nil {
		t.Errorf("after the faults are off: %v", err)
	}
	for _, id := range b.Clerk.SessionIDs(b.Clerk.UserID(alice)) {
		if err := b.Clerk.RevokeSession(id); err != nil {
			t.Fatal(err)
		}
	}
	fails(t, "revoked in the dashboard", token(), provider.ErrRejected, "the session has ended", "run zen login")
}

// The list of the client's sessions may lag behind.
func TestAnEndedSessionThatIsListed(t *testing.T) {
	f := newFakeClerk(t)
	p := f.provider()
	credential := f.signedIn(p)
	gone := `{"errors":[{"code":"resource_not_found","message":"not found"}]}`
	for _, path := range []string{"/tokens", "/tokens/turso"} {
		f.on("/v1/client/sessions/"+testSession+path, 404, nil, gone)
	}
	_, err := p.Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: target})
	fails(t, "listed", err, provider.ErrRejected, "the session has ended")
	if strings.Contains(err.Error(), "template") {
		t.Error(err)
	}
}
