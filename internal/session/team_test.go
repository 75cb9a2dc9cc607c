package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/audit"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/session/team"
	"github.com/zen-auth/zen/internal/store"
)

// teamFake is a provider with organizations; each call replaces the credential.
type teamFake struct {
	*fake
	seen []provider.TeamRequest
	err  error
}

func (f *teamFake) Identity(context.Context, string) (provider.Identity, error) { return f, nil }

func (f *teamFake) called(req provider.TeamRequest) (*provider.Credential, error) {
	f.seen = append(f.seen, req)
	next := req.Credential
	next.Data = provider.NewSecret("credential-" + strings.Repeat("i", len(f.seen)))
	return &next, f.err
}

func (f *teamFake) Members(_ context.Context, req provider.TeamRequest) ([]provider.Member, *provider.Credential, error) {
	c, err := f.called(req)
	return []provider.Member{{ID: "m1"}}, c, err
}

func (f *teamFake) Invitations(_ context.Context, req provider.TeamRequest) ([]provider.Invitation, *provider.Credential, error) {
	c, err := f.called(req)
	return nil, c, err
}

func (f *teamFake) Invite(_ context.Context, req provider.TeamRequest, i provider.Invite) (provider.Invitation, *provider.Credential, error) {
	c, err := f.called(req)
	return provider.Invitation{ID: "i1", Email: i.Email}, c, err
}

func (f *teamFake) RevokeInvitation(_ context.Context, req provider.TeamRequest, _ string) (*provider.Credential, error) {
	return f.called(req)
}

func (f *teamFake) RemoveMember(_ context.Context, req provider.TeamRequest, _ string) (*provider.Credential, error) {
	return f.called(req)
}

func (f *teamFake) ChangeRole(_ context.Context, req provider.TeamRequest, id, role string) (provider.Member, *provider.Credential, error) {
	c, err := f.called(req)
	return provider.Member{ID: id, Role: role}, c, err
}

func (f *teamFake) Organizations(_ context.Context, req provider.TeamRequest) ([]provider.Membership, *provider.Credential, error) {
	c, err := f.called(req)
	return nil, c, err
}

func (f *teamFake) UseOrganization(_ context.Context, req provider.TeamRequest) (provider.Membership, *provider.Credential, error) {
	c, err := f.called(req)
	return provider.Membership{Organization: provider.Organization{ID: "org_" + req.Organization, Slug: req.Organization, Role: "org:member"}, Active: true}, c, err
}

func newTeam(t *testing.T, change func(*session.Config)) (*session.Session, *teamFake) {
	team := &teamFake{}
	s, f := newSession(t, change)
	team.fake = f
	config := s.Config()
	config.Providers = team
	s = session.New(config)
	login(t, s, f, "clerk")
	return s, team
}

// A credential that a call replaced is stored, even if the call failed, and each action is in
// the audit log.
func TestTeamKeepsTheCredentialAndTheLog(t *testing.T) {
	log := filepath.Join(t.TempDir(), "audit.log")
	s, f := newTeam(t, func(c *session.Config) { c.Audit = audit.New(log, nil) })
	team, err := team.New(s, "org_1")
	if err != nil {
		t.Fatal(err)
	}
	if members, err := team.Members(t.Context()); err != nil || len(members) != 1 {
		t.Fatal(members, err)
	}
	if _, err := team.Invite(t.Context(), provider.Invite{Email: "carol@example.test", Role: "admin"}); err != nil {
		t.Fatal(err)
	}
	f.err = provider.ErrPermission
	if err := team.RemoveMember(t.Context(), provider.Member{ID: "m1"}); !errors.Is(err, provider.ErrPermission) {
		t.Fatal(err)
	}
	f.err = nil
	if _, err := team.Invitations(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"credential-0", "credential-i", "credential-ii", "credential-iii"} {
		if got := f.seen[i].Credential.Data.Reveal(); got != want || f.seen[i].Organization != "org_1" {
			t.Errorf("call %d had %s in %s", i, got, f.seen[i].Organization)
		}
	}
	written, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"event":"invite","profile":"default","provider":"clerk","subject":"user_1","organization":"org_1","member":"carol@example.test","role":"admin","outcome":"ok"}`,
		`"event":"remove-member","profile":"default","provider":"clerk","subject":"user_1","organization":"org_1","member":"m1","outcome":"not permitted"}`,
	} {
		if !strings.Contains(string(written), want) {
			t.Errorf("the audit log lacks %s:\n%s", want, written)
		}
	}
}

// A child process performs an action if there is one; if it can't, this process does.
func TestActionsInChild(t *testing.T) {
	var asked []session.ActRequest
	var fails error
	s, f := newTeam(t, func(c *session.Config) {
		c.ActInChild = func(_ context.Context, r session.ActRequest) (json.RawMessage, error) {
			asked = append(asked, r)
			if r.Do == session.ActUseOrganization {
				return json.RawMessage(`{"ID":"org_2","Active":true}`), fails
			}
			return json.RawMessage(`[{"ID":"of the child"}]`), fails
		}
	})
	org, err := team.New(s, "org_1")
	if err != nil {
		t.Fatal(err)
	}
	members := func() (string, error) {
		members, err := org.Members(t.Context())
		if len(members) != 1 {
			return "", err
		}
		return members[0].ID, err
	}
	if got, err := members(); err != nil || got != "of the child" || len(f.seen) != 0 || asked[0].Organization != "org_1" || asked[0].Profile != "default" {
		t.Errorf("%s, %v, %+v, %d calls in this process", got, err, asked, len(f.seen))
	}
	fails = provider.ErrPermission
	if _, err := members(); !errors.Is(err, provider.ErrPermission) || len(f.seen) != 0 {
		t.Errorf("%v, %d calls in this process", err, len(f.seen))
	}
	for i, err := range []error{errors.ErrUnsupported, provider.ErrNoProvider} {
		fails = err
		if got, err := members(); err != nil || got != "m1" || len(f.seen) != i+1 {
			t.Errorf("%v: %s, %v, %d calls in this process", fails, got, err, len(f.seen))
		}
	}
	// The token in this process belongs to the previous organization.
	fails = nil
	wantToken(t, s, "first")
	if active, err := s.UseOrganization(t.Context(), "globex"); err != nil || active.ID != "org_2" {
		t.Errorf("UseOrganization = %+v, %v", active, err)
	}
	if last := asked[len(asked)-1]; last.Organization != "globex" || s.Issuer() != "" {
		t.Errorf("the request was %+v, and a token of %q is still held", last, s.Issuer())
	}
}

// Each action works by a request that was encoded and decoded.
func TestPerform(t *testing.T) {
	s, f := newTeam(t, nil)
	config := s.Config()
	config.ActInChild = func(ctx context.Context, r session.ActRequest) (json.RawMessage, error) {
		text, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		var read session.ActRequest
		if err := json.Unmarshal(text, &read); err != nil {
			return nil, err
		}
		result, err := team.Perform(ctx, s, read)
		text, encodeErr := json.Marshal(result)
		return text, errors.Join(err, encodeErr)
	}
	parent := session.New(config)
	org, err := team.New(parent, "org_1")
	if err != nil {
		t.Fatal(err)
	}
	members, err := org.Members(t.Context())
	check := func(name string, good bool, err error) {
		t.Helper()
		if !good || err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	check("members", len(members) == 1 && members[0].ID == "m1", err)
	_, err = org.Invitations(t.Context())
	check("invitations", true, err)
	invitation, err := org.Invite(t.Context(), provider.Invite{Email: "carol@example.test", Lifetime: time.Hour})
	check("invite", invitation.ID == "i1" && invitation.Email == "carol@example.test", err)
	check("revoke", true, org.RevokeInvitation(t.Context(), invitation))
	check("remove", true, org.RemoveMember(t.Context(), provider.Member{ID: "m1"}))
	changed, err := org.ChangeRole(t.Context(), provider.Member{ID: "m2"}, "admin")
	check("role", changed.ID == "m2" && changed.Role == "admin", err)
	_, err = parent.Organizations(t.Context())
	check("organizations", true, err)
	active, err := parent.UseOrganization(t.Context(), "globex")
	check("use", active.ID == "org_globex" && active.Active, err)
	if len(f.seen) != 8 || f.seen[7].Credential.Data.Reveal() != "credential-iiiiiii" {
		t.Errorf("%d calls", len(f.seen))
	}
	if _, err := team.Perform(t.Context(), s, session.ActRequest{Do: "magic"}); !errors.Is(err, provider.ErrConfig) {
		t.Error(err)
	}
}

// Another organization has its own tokens and its own role.
func TestUseOrganization(t *testing.T) {
	s, f := newTeam(t, nil)
	wantToken(t, s, "first")
	if _, err := s.UseOrganization(t.Context(), "globex"); err != nil {
		t.Fatal(err)
	}
	wantToken(t, s, "minted-1")
	wantToken(t, session.New(s.Config()), "minted-1")
	if got := f.fake.seen.Credential.Data.Reveal(); got != "credential-i" {
		t.Errorf("the token was issued with %s", got)
	}
	status, err := s.Status(t.Context())
	if err != nil || status.Account.Claims.Organization == nil || status.Account.Claims.Organization.ID != "org_globex" || status.Account.Claims.Organization.Role != "org:member" {
		t.Errorf("the stored organization is %+v, %v", status.Account.Claims.Organization, err)
	}
	// A refused change changes nothing.
	f.err = provider.ErrPermission
	if _, err := s.UseOrganization(t.Context(), "acme"); !errors.Is(err, provider.ErrPermission) {
		t.Fatal(err)
	}
	wantToken(t, session.New(s.Config()), "minted-1")
	// A token that another process stored in the other organization is only used there.
	f.err = nil
	err = s.Config().Store.Lock(t.Context(), "default", func(l *store.Locked) error {
		account := l.Accounts["clerk"]
		account.Claims.Organization = &provider.Organization{ID: "org_acme"}
		l.Accounts["clerk"] = account
		return l.Save()
	})
	if err != nil {
		t.Fatal(err)
	}
	wantToken(t, session.New(s.Config()), "minted-2")
}

// A profile with an organization never uses tokens of another.
func TestProfileWithAnOrganization(t *testing.T) {
	s, f := newTeam(t, nil)
	config := s.Config()
	config.Organization = "acme"
	held := session.New(config)
	if _, err := held.Token(t.Context()); !errors.Is(err, provider.ErrPermission) || f.minted.Load() != 0 {
		t.Errorf("%v, %d tokens", err, f.minted.Load())
	}
	for name, err := range map[string]error{
		"another organization":             second(held.UseOrganization(t.Context(), "globex")),
		"no organization":                  second(held.UseOrganization(t.Context(), "")),
		"the team of another organization": second(team.New(held, "globex")),
		"a login to another organization":  second(held.Login(t.Context(), "clerk", provider.LoginRequest{Organization: "globex"}, nil, store.Plan{})),
	} {
		if !errors.Is(err, provider.ErrConfig) || len(f.seen) != 0 {
			t.Errorf("%s: %v, want ErrConfig", name, err)
		}
	}
	// The fake signs in to no organization.
	_, err := held.Login(t.Context(), "clerk", provider.LoginRequest{}, nil, store.Plan{})
	if !errors.Is(err, provider.ErrPermission) || f.login.Organization != "acme" {
		t.Errorf("Login with organization %q: %v, want ErrPermission", f.login.Organization, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestNoTeam(t *testing.T) {
	s, f := newSession(t, nil)
	team, err := team.New(s, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := team.Members(t.Context()); !errors.Is(err, provider.ErrNoCredential) {
		t.Error(err)
	}
	login(t, s, f, "clerk")
	if _, err := team.Members(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}

// After Ctrl-C during a call, a credential that the issuer replaced is still stored.
func TestWithCredentialOutlivesItsCaller(t *testing.T) {
	s, f := newSession(t, nil)
	login(t, s, f, "clerk")
	ctx, cancel := context.WithCancel(t.Context())
	err := s.WithCredential(ctx, "clerk", func(asking context.Context, c *provider.Credential) (*provider.Credential, error) {
		cancel()
		if asking.Err() != nil {
			t.Error("the call's context ended with its caller's")
		}
		next := *c
		next.Data = provider.NewSecret("the next one")
		return &next, nil
	})
	record, loadErr := s.Config().Store.Load("default")
	if got := record.Accounts["clerk"].Credential.Data.Reveal(); err != nil || loadErr != nil || got != "the next one" {
		t.Errorf("stored credential %q, %v, %v", got, err, loadErr)
	}
	if err := s.WithCredential(t.Context(), "another", func(_ context.Context, c *provider.Credential) (*provider.Credential, error) {
		if c != nil {
			t.Error("a provider without a sign-in got a credential")
		}
		return &provider.Credential{Data: provider.NewSecret("x")}, nil
	}); err != nil {
		t.Error(err)
	}
	if record, err := s.Config().Store.Load("default"); err != nil || len(record.Accounts) != 1 {
		t.Errorf("%d accounts, %v", len(record.Accounts), err)
	}
}
