package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// methodAssertion marks a credential derived from another provider's sign-in. It can't be
// selected by name.
const methodAssertion = "assertion"

// login logs in at an auth method and returns the credential to store.
func (p *openbao) login(ctx context.Context, method, mount string, body map[string]string) (stored, authAnswer, error) {
	if p.settings.authRole != "" && method != methodAppRole {
		body["role"] = p.settings.authRole
	}
	a, err := p.do(ctx, call{what: "log in at auth/" + mount, method: http.MethodPost, path: "auth/" + mount + "/login", body: body, wrap: true})
	if err != nil {
		return stored{}, authAnswer{}, loginRefused(err, mount)
	}
	return p.loggedIn(a.Auth, method, mount)
}

// loginRefused distinguishes a server that refuses the caller from one that isn't set up.
func loginRefused(err error, mount string) error {
	var e *provider.Error
	if !errors.As(err, &e) || e.Kind != provider.ErrPermission && e.Kind != provider.ErrConfig || e.Hint != "" {
		return err
	}
	out := *e
	out.Kind, out.Err = provider.ErrPermission, err
	out.Hint = "the role at auth/" + mount + " takes others: its bound_audiences, bound_claims or the like; the operator's log has more"
	return &out
}

func (p *openbao) loggedIn(a *authAnswer, method, mount string) (stored, authAnswer, error) {
	if a == nil || a.ClientToken == "" {
		return stored{}, authAnswer{}, &provider.Error{Kind: provider.ErrUnavailable, Message: "openbao: log in at auth/" + mount + ": the answer has no token"}
	}
	s := stored{Method: method, Token: a.ClientToken, Renewable: a.Renewable, Place: p.place(mount)}
	s.lasts(a.LeaseDuration, p.now())
	return s, *a, nil
}

func (s *stored) lasts(seconds int64, now time.Time) {
	s.Whole, s.Expires = 0, time.Time{}
	if seconds > 0 {
		s.Whole = time.Duration(seconds) * time.Second
		s.Expires = now.Add(s.Whole).Round(0)
	}
}

// renew makes the token live longer.
func (p *openbao) renew(ctx context.Context, s stored) (stored, error) {
	a, err := p.do(ctx, call{what: "renew the token", method: http.MethodPost, path: "auth/token/renew-self", token: provider.NewSecret(s.Token), body: map[string]string{}})
	if err != nil {
		return s, err
	}
	if a.Auth == nil {
		return s, &provider.Error{Kind: provider.ErrUnavailable, Message: "openbao: renew the token: the answer has none"}
	}
	s.Renewable = a.Auth.Renewable
	s.lasts(a.Auth.LeaseDuration, p.now())
	return s, nil
}

// self is a token's description of itself.
type self struct {
	DisplayName string    `json:"display_name"`
	EntityID    string    `json:"entity_id"`
	TTL         int64     `json:"ttl"`
	Renewable   bool      `json:"renewable"`
	ExpireTime  time.Time `json:"expire_time"`
	IssueTime   time.Time `json:"issue_time"`
}

// lookup checks that a token is valid. An invalid one is ErrRejected, because OpenBao
// treats it like a token without permissions.
func (p *openbao) lookup(ctx context.Context, token provider.Secret) (self, error) {
	a, err := p.do(ctx, call{what: "look the token up", method: http.MethodGet, path: "auth/token/lookup-self", token: token})
	if errors.Is(err, provider.ErrPermission) {
		return self{}, &provider.Error{
			Kind: provider.ErrRejected, Err: err, Message: "openbao: the token is not good (any more): it ended, was revoked, or is another server's", Hint: loginHint,
		}
	}
	if err != nil {
		return self{}, err
	}
	var s self
	if json.Unmarshal(a.Data, &s) != nil {
		return self{}, &provider.Error{Kind: provider.ErrUnavailable, Message: "openbao: look the token up: the answer is not OpenBao's"}
	}
	return s, nil
}

// outsideToken returns the token of the environment, or else the one that bao login
// stored.
func (p *openbao) outsideToken() provider.Secret {
	if !p.settings.token.IsZero() {
		return p.settings.token
	}
	data, err := os.ReadFile(p.tokenFile)
	if text := strings.TrimSpace(string(data)); err == nil && text != "" {
		return provider.NewSecret(text)
	}
	return provider.Secret{}
}

// session is an OpenBao token to work with, and the credential to store if it changed.
type session struct {
	token   provider.Secret
	stored  stored
	changed *provider.Credential
}

// open finds the token for a request: the stored one, renewed in time; one from the
// environment or file; or a new one, from a method that needs no person.
func (p *openbao) open(ctx context.Context, c *provider.Credential, a *provider.Assertion, claims *provider.Claims, anew bool) (session, error) {
	var s stored
	if c != nil {
		var err error
		if s, err = readCredential(*c); err != nil && a == nil {
			return session{}, err
		}
	}
	if a != nil {
		return p.openFor(ctx, s, *a, who(claims), anew)
	}
	if c == nil || s.Method == methodToken && s.Token == "" {
		token := p.outsideToken()
		if token.IsZero() {
			return session{}, &provider.Error{Kind: provider.ErrNoCredential, Message: "openbao: no token of OpenBao's", Hint: loginHint}
		}
		return session{token: token, stored: s}, nil
	}
	if s.Place != p.place(s.Place.Mount) {
		return session{}, &provider.Error{
			Kind: provider.ErrNoCredential, Hint: loginHint,
			Message: fmt.Sprintf("openbao: the sign-in was at %s, and the settings name another server, namespace or role", s.Place.Address),
		}
	}
	good, renew := s.good(p.now())
	switch {
	case good && !anew && renew:
		if renewed, err := p.renew(ctx, s); err == nil {
			return p.keep(renewed, c.Subject)
		}
		fallthrough // it is valid as it is
	case good && !anew:
		return session{token: provider.NewSecret(s.Token), stored: s}, nil
	}
	fresh, err := p.again(ctx, s.Method)
	if err != nil {
		return session{}, err
	}
	return p.keep(fresh, c.Subject)
}

// openFor opens a session for another provider's sign-in: a stored token is used as long
// as it is for the same person at the same server.
func (p *openbao) openFor(ctx context.Context, s stored, a provider.Assertion, who string, anew bool) (session, error) {
	mount, body := p.settings.authMount, map[string]string{}
	switch a.Kind {
	case provider.AssertionJWT:
		mount, body["jwt"] = cmp.Or(mount, "jwt"), a.Value.Reveal()
	case provider.AssertionClerkAPIKey:
		mount, body["api_key"] = cmp.Or(mount, "clerk"), a.Value.Reveal()
	default:
		return session{}, &provider.Error{Kind: provider.ErrPermission, Message: fmt.Sprintf("openbao: no auth method takes a statement of the kind %.40q", a.Kind)}
	}
	if s.Method == methodAssertion && s.Who == who && s.Place == p.place(mount) && !anew {
		good, renew := s.good(p.now())
		if good && renew {
			if renewed, err := p.renew(ctx, s); err == nil {
				return p.keep(renewed, who)
			}
			good = false // the person may be gone: the other provider says so
		}
		if good {
			return session{token: provider.NewSecret(s.Token), stored: s}, nil
		}
	}
	fresh, _, err := p.login(ctx, methodAssertion, mount, body)
	if err != nil {
		return session{}, err
	}
	fresh.Who = who
	return p.keep(fresh, who)
}

// who identifies the person of an OpenBao token: it differs for another person, and for
// the same one in another organization.
func who(claims *provider.Claims) string {
	if claims == nil {
		return ""
	}
	text := claims.Issuer + " " + claims.Subject
	if claims.Organization != nil {
		text += " " + claims.Organization.ID
	}
	return text
}

// keep has a token stored.
func (p *openbao) keep(s stored, subject string) (session, error) {
	c, err := s.credential(subject, p.now())
	return session{token: provider.NewSecret(s.Token), stored: s, changed: &c}, err
}

// again logs in again if that needs no person.
func (p *openbao) again(ctx context.Context, method string) (stored, error) {
	switch method {
	case methodAppRole:
		s, _, err := p.loginAppRole(ctx)
		return s, err
	case methodKubernetes:
		s, _, err := p.loginKubernetes(ctx)
		return s, err
	}
	return stored{}, &provider.Error{Kind: provider.ErrTokenExpired, Message: "openbao: the sign-in has ended", Hint: loginHint}
}

func (p *openbao) loginAppRole(ctx context.Context) (stored, authAnswer, error) {
	if p.settings.roleID == "" || p.settings.secretID.IsZero() {
		return stored{}, authAnswer{}, &provider.Error{
			Kind: provider.ErrConfig, Message: "openbao: the method approle needs role_id and secret_id", Hint: "set ZEN_OPENBAO__ROLE_ID and ZEN_OPENBAO__SECRET_ID",
		}
	}
	body := map[string]string{"role_id": p.settings.roleID, "secret_id": p.settings.secretID.Reveal()}
	return p.login(ctx, methodAppRole, cmp.Or(p.settings.authMount, "approle"), body)
}

func (p *openbao) loginKubernetes(ctx context.Context) (stored, authAnswer, error) {
	if p.settings.authRole == "" {
		return stored{}, authAnswer{}, wrong(keyAuthRole, "the method kubernetes needs it")
	}
	data, err := provider.ReadFile(p.settings.jwtFile, maxFile)
	if err != nil {
		return stored{}, authAnswer{}, wrong(keyJWTFile, "%v: is this a pod with a service account?", err)
	}
	return p.login(ctx, methodKubernetes, cmp.Or(p.settings.authMount, "kubernetes"), map[string]string{"jwt": strings.TrimSpace(string(data))})
}
