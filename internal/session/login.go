package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/audit"
	"github.com/zen-auth/zen/internal/breaker"
	"github.com/zen-auth/zen/internal/store"
	"github.com/zen-auth/zen/internal/text"
)

// UI draws what a provider asks for during a sign-in: provider.Host
// without Store, which is the session's part. from is the provider that wants it; the
// texts of the others begin with it.
type UI interface {
	OpenURL(ctx context.Context, from, url, code string) error
	ShowCode(ctx context.Context, from, code, url string, expires time.Time) error
	Progress(ctx context.Context, text string) error
	Ask(ctx context.Context, question string) (string, error)
	AskSecret(ctx context.Context, question string) (provider.Secret, error)
}

// AccountConfirmer is a UI that is told when a sign-in is of another person than the one
// before, by the same provider in the same profile: anyone who reads the address of a browser
// flow could end it with an account of his own.
type AccountConfirmer interface {
	// ConfirmAccount reports whether the sign-in is to be kept. If no one can be asked
	// it says so loudly and is true.
	ConfirmAccount(ctx context.Context, provider, before, now string) (bool, error)
}

// ChooseStorage settles how the credentials of a login will rest, before the sign-in
// begins: see [store.Store.Choose].
func (s *Session) ChooseStorage(ctx context.Context) (store.Plan, error) {
	return s.config.Store.Choose(ctx, s.config.Name)
}

// Login signs in with the named provider, which the profile uses from then on.
// The credentials of other providers stay. plan is how the credentials are to rest, by
// [Session.ChooseStorage].
func (s *Session) Login(ctx context.Context, name string, req provider.LoginRequest, ui UI, plan store.Plan) (store.Account, error) {
	description, err := s.config.Providers.Describe(ctx, name)
	if err != nil {
		return store.Account{}, err
	}
	if err := s.config.CheckHeld(req.Organization); err != nil {
		return store.Account{}, err
	}
	req.Organization = cmp.Or(req.Organization, s.config.Organization)
	if err := s.foresee(ctx, name, description, &req); err != nil {
		return store.Account{}, err
	}
	identity, err := s.config.Providers.Identity(ctx, name)
	if err != nil {
		return store.Account{}, err
	}
	if s.issues(name) {
		req.Target, req.Access, req.Permissions = s.config.Target, s.config.Access, s.config.Permissions
	}
	host := &loginHost{UI: ui, session: s, provider: name, envNames: envNames(description), plan: plan}
	if err := identity.Login(ctx, req, host); err != nil {
		s.audit(audit.SignIn, actor{provider: name}, provider.Token{}, err)
		return store.Account{}, err
	}
	if host.stored == nil {
		return store.Account{}, &provider.Error{
			Kind:    provider.ErrUnavailable,
			Message: fmt.Sprintf("provider %s ended the login without a credential", name),
		}
	}
	s.audit(audit.SignIn, actor{provider: name, subject: host.stored.Subject()}, provider.Token{}, nil)
	if noted, ok := identity.(interface{ Notes() []provider.Note }); ok {
		for _, note := range noted.Notes() {
			s.config.Notify(name + ": " + note.Text)
		}
	}
	return *host.stored, nil
}

// loginHost gives the provider the terminal, and keeps what it hands over.
type loginHost struct {
	UI
	session  *Session
	provider string
	envNames []string
	plan     store.Plan
	stored   *store.Account
}

// What a provider shows, says and asks carries its name: it is not zen's own.

// OpenURL implements provider.Host.
func (h *loginHost) OpenURL(ctx context.Context, url, code string) error {
	return h.UI.OpenURL(ctx, h.provider, url, code)
}

// ShowCode implements provider.Host.
func (h *loginHost) ShowCode(ctx context.Context, code, url string, expires time.Time) error {
	return h.UI.ShowCode(ctx, h.provider, code, url, expires)
}

// Progress implements provider.Host.
func (h *loginHost) Progress(ctx context.Context, text string) error {
	return h.UI.Progress(ctx, h.provider+": "+text)
}

// Ask implements provider.Host.
func (h *loginHost) Ask(ctx context.Context, question string) (string, error) {
	return h.UI.Ask(ctx, h.provider+": "+question)
}

// AskSecret implements provider.Host.
func (h *loginHost) AskSecret(ctx context.Context, question string) (provider.Secret, error) {
	return h.UI.AskSecret(ctx, h.provider+": "+question)
}

// Store implements provider.Host. It is called at most once at a time by the
// login stream, and its result is read after the stream has ended.
func (h *loginHost) Store(ctx context.Context, result provider.SignIn) error {
	if h.stored != nil {
		return errors.New("store: the login has been stored already")
	}
	s := h.session
	if result.Credential.Data.IsZero() {
		return fmt.Errorf("store: %w: provider %s handed over an empty credential", provider.ErrTokenInvalid, h.provider)
	}
	keeps := result.Token != nil && s.issues(h.provider)
	if result.Token != nil {
		token, claims, err := s.config.Check(*result.Token, breaker.Rights{Access: s.config.Access, Permissions: s.config.Permissions}, s.verify(ctx, false))
		if err != nil {
			return fmt.Errorf("check the first token: %w", err)
		}
		keeps, result.Token = keeps && s.config.CheckPlace(claims, "") == nil, &token
	}
	account := store.Account{
		Credential: result.Credential,
		Claims:     result.Claims,
		SignedIn:   s.config.Now(),
		EnvNames:   h.envNames,
	}
	if err := s.config.CheckMembership(account.Claims.Organization); err != nil {
		return err
	}
	if err := h.confirmAccount(ctx, account); err != nil {
		return err
	}
	err := s.config.Store.LockWith(ctx, s.config.Name, h.plan, func(l *store.Locked) error {
		l.Provider = h.provider
		l.Accounts[h.provider] = account
		forget(&l.Record, h.provider)
		l.Breakers = nil
		if keeps {
			by := s.config.Own(l.Record)
			by.Identity, by.Provider = h.provider, h.provider
			s.keep(&l.Record, *result.Token, by)
		}
		return l.Save()
	})
	if err == nil {
		h.stored = &account
		s.drop()
	}
	return err
}

// confirmAccount asks about a sign-in as another person than the profile's last account of
// the provider, before anything is stored. Where that one can't be read, there is nothing
// to compare.
func (h *loginHost) confirmAccount(ctx context.Context, account store.Account) error {
	confirmer, ok := h.UI.(AccountConfirmer)
	if !ok {
		return nil
	}
	record, err := h.session.config.Store.LoadContext(ctx, h.session.config.Name)
	if err != nil {
		return ctx.Err()
	}
	last, ok := record.Accounts[h.provider]
	if !ok || last.Subject() == "" || last.Subject() == account.Subject() {
		return nil
	}
	keep, err := confirmer.ConfirmAccount(ctx, h.provider, called(last), called(account))
	switch {
	case err != nil:
		return err
	case !keep:
		return &provider.Error{
			Kind:    provider.ErrNoCredential,
			Message: fmt.Sprintf("the sign-in as %s was not kept: profile %q is signed in as %s, as before", text.Line(called(account), 200), h.session.config.Name, text.Line(called(last), 200)),
			Hint:    "for another person on this machine: --profile NAME",
		}
	}
	return nil
}

// called returns the name of an account's owner, for people: with the issuer's own name where both
// are known, as one person's address may be another's tomorrow.
func called(account store.Account) string {
	name, id := account.Credential.Subject, account.Claims.Subject
	if name == "" || id == "" || name == id {
		return cmp.Or(name, id, "an unnamed account")
	}
	return fmt.Sprintf("%s (%s)", name, id)
}

// issues reports whether the named provider also issues the tokens once it has signed
// in. Otherwise the login need not prove that it could.
func (s *Session) issues(name string) bool {
	return s.config.TokenProvider == "" || s.config.TokenProvider == name
}

// SignedOut describes what happened to one provider's credential.
type SignedOut struct {
	Provider string
	Subject  string
	// NotRevoked says why the issuer still knows the credential; nil if it was
	// revoked. It is forgotten here in any case.
	NotRevoked error
}

// Logout revokes the credential of the provider in use, or with all those of
// every provider of the profile, and forgets it here whatever the issuer says. What
// doesn't open (store.ErrUnreadable) is forgotten as a whole.
func (s *Session) Logout(ctx context.Context, all bool) ([]SignedOut, error) {
	defer s.drop()
	var out []SignedOut
	err := s.config.Store.Lock(ctx, s.config.Name, func(l *store.Locked) error {
		inUse, _ := s.config.Profile.Providers(l.Record)
		if !all {
			if err := s.checkSignedIn(l.Record, inUse); err != nil {
				return err
			}
		}
		for _, name := range slices.Sorted(maps.Keys(l.Accounts)) {
			account := l.Accounts[name]
			if !all && name != inUse && !account.SignedIn.IsZero() {
				continue // a sign-in of its own; without, it was made in the name of this one
			}
			revoked := s.revoke(ctx, name, account)
			out = append(out, SignedOut{name, account.Credential.Subject, revoked})
			s.audit(audit.Revoke, actor{provider: name, subject: account.Subject()}, provider.Token{}, revoked)
			delete(l.Accounts, name)
			forget(&l.Record, name)
		}
		l.Breakers = nil
		if _, ok := l.Accounts[l.Provider]; !ok {
			l.Provider = ""
		}
		return l.Save()
	})
	if errors.Is(err, store.ErrUnreadable) && ctx.Err() == nil {
		out, err = s.forgetShut(ctx, err)
	}
	for _, o := range out {
		s.audit(audit.SignOut, actor{provider: o.Provider, subject: o.Subject}, provider.Token{}, err)
	}
	return out, err
}

// forgetShut removes credentials that can't be read in order to revoke them: one
// sign-in can't be taken out of a file that doesn't open. Whose they were is known as
// far as it was written down.
func (s *Session) forgetShut(ctx context.Context, why error) ([]SignedOut, error) {
	meta, _ := s.config.Store.Meta(s.config.Name)
	if err := s.config.Store.Delete(ctx, s.config.Name); err != nil {
		return nil, err
	}
	notRevoked := &provider.Error{
		Kind: provider.ErrUnavailable, Message: why.Error(),
		Hint: "it lives at the issuer until it expires, or is ended on the issuer's own pages",
	}
	var out []SignedOut
	for _, name := range slices.Sorted(maps.Keys(meta.Accounts)) {
		out = append(out, SignedOut{name, meta.Accounts[name].Account, notRevoked})
	}
	if len(out) == 0 {
		name, _ := s.config.Profile.Providers(store.Record{})
		out = append(out, SignedOut{Provider: cmp.Or(name, "unknown provider"), NotRevoked: notRevoked})
	}
	for _, o := range out {
		s.audit(audit.Revoke, actor{provider: o.Provider, subject: o.Subject}, provider.Token{}, notRevoked)
	}
	return out, nil
}

func (s *Session) revoke(ctx context.Context, name string, account store.Account) error {
	identity, err := s.config.Providers.Identity(ctx, name)
	if err != nil {
		return err
	}
	return identity.Revoke(ctx, account.Credential)
}

// Use has the profile use the named provider from now on, which the user has signed
// in with before: both that sign-in and the one in use until now stay as they are.
// The user isn't asked, and no provider is started. Without such a sign-in it is
// provider.ErrNoCredential.
func (s *Session) Use(ctx context.Context, name string) (store.Account, error) {
	var account store.Account
	err := s.config.Store.Lock(ctx, s.config.Name, func(l *store.Locked) error {
		if err := s.checkSignedIn(l.Record, name); err != nil {
			return err
		}
		account = l.Accounts[name]
		l.Provider = name
		return l.Save()
	})
	return account, err
}

// foresee finds out before the sign-in what would only fail afterwards, and announces
// the request what the sign-in is for.
func (s *Session) foresee(ctx context.Context, name string, d provider.Description, req *provider.LoginRequest) error {
	if s.issues(name) {
		if len(d.Methods) > 0 && identityOnly(d.Methods, req.Method) {
			return &provider.Error{
				Kind:    provider.ErrConfig,
				Message: fmt.Sprintf("provider %s signs in%s, and makes no tokens for databases", name, byMethod(req.Method)),
				Hint:    "name the provider that makes them: token_provider in the profile, or ZEN_TOKEN_PROVIDER=platformtoken",
			}
		}
		return nil
	}
	need, err := s.config.Providers.Need(ctx, s.config.TokenProvider)
	if err != nil || need == nil {
		return err
	}
	if !slices.ContainsFunc(need.Kinds, func(k provider.AssertionKind) bool { return slices.Contains(d.Assertions, k) }) {
		return noAssertion(name, s.config.TokenProvider)
	}
	req.Audience, req.AssertionKinds = need.Audience, need.Kinds
	return nil
}

// identityOnly reports whether a method, or if none is named each of them, yields no
// database tokens.
func identityOnly(methods []provider.Method, named string) bool {
	return !slices.ContainsFunc(methods, func(m provider.Method) bool {
		return !m.IdentityOnly && (named == "" || m.Name == named)
	}) && (named == "" || slices.ContainsFunc(methods, func(m provider.Method) bool { return m.Name == named }))
}

func byMethod(named string) string {
	if named == "" {
		return ""
	}
	return " by " + named
}

// BrowserSession is the page that ends a browser's own session at an issuer, which lives on
// when a credential is revoked.
type BrowserSession struct {
	Provider string
	// URL is the page that ends it; "" if Err says why there is none, which is
	// errors.ErrUnsupported where the issuer has no such thing.
	URL string
	Err error
}

// BrowserSessions returns those of the provider in use, or with all those of every provider
// that the profile is signed in with. It is asked before Logout, which forgets them.
func (s *Session) BrowserSessions(ctx context.Context, all bool) ([]BrowserSession, error) {
	record, err := s.config.Store.LoadContext(ctx, s.config.Name)
	if err != nil {
		return nil, err
	}
	inUse, _ := s.config.Profile.Providers(record)
	var sessions []BrowserSession
	for _, name := range slices.Sorted(maps.Keys(record.Accounts)) {
		if !all && name != inUse {
			continue
		}
		page, err := s.endSessionURL(ctx, name, record.Accounts[name].Credential)
		sessions = append(sessions, BrowserSession{name, page, err})
	}
	return sessions, nil
}

func (s *Session) endSessionURL(ctx context.Context, name string, credential provider.Credential) (string, error) {
	identity, err := s.config.Providers.Identity(ctx, name)
	if err != nil {
		return "", err
	}
	browser, ok := identity.(provider.BrowserSession)
	if !ok {
		return "", errors.ErrUnsupported
	}
	page, err := browser.EndSessionURL(ctx, credential)
	if err != nil {
		return "", err
	}
	if u, err := url.Parse(page); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", fmt.Errorf("provider %s: the page that ends the browser's session is %w", name, provider.ErrTokenInvalid)
	}
	return page, nil
}

// Organizations returns the organizations of the person who signed in.
func (s *Session) Organizations(ctx context.Context) ([]provider.Membership, error) {
	return Act(ctx, s, Action[provider.Organizations, []provider.Membership]{
		Request: ActRequest{Do: ActOrganizations},
		Do: func(ctx context.Context, p provider.Organizations, c provider.Credential) ([]provider.Membership, *provider.Credential, error) {
			return p.Organizations(ctx, provider.TeamRequest{Credential: c})
		},
	})
}

// UseOrganization makes an organization the active one of the sign-in, by its id or slug;
// "" means none. The tokens of the one before are forgotten: they are for that one alone.
func (s *Session) UseOrganization(ctx context.Context, organization string) (provider.Membership, error) {
	if organization == "" && s.config.Organization != "" {
		return provider.Membership{}, &provider.Error{
			Kind: provider.ErrConfig, Message: fmt.Sprintf("profile %q is for the organization %s alone", s.config.Name, s.config.Organization),
		}
	}
	if err := s.config.CheckHeld(organization); err != nil {
		return provider.Membership{}, err
	}
	active, err := Act(ctx, s, Action[provider.Organizations, provider.Membership]{
		Request: ActRequest{Do: ActUseOrganization, Organization: organization},
		Do: func(ctx context.Context, p provider.Organizations, c provider.Credential) (provider.Membership, *provider.Credential, error) {
			return p.UseOrganization(ctx, provider.TeamRequest{Credential: c, Organization: organization})
		},
		Keep: func(r *store.Record, name string, active provider.Membership) {
			account := r.Accounts[name]
			account.Claims.Organization = nil
			if active.ID != "" {
				account.Claims.Organization = &active.Organization
			}
			r.Accounts[name] = account
			forget(r, name)
			r.Breakers = nil
		},
		Event: func(active provider.Membership) audit.Event {
			return audit.Event{Kind: audit.OrganizationUse, Organization: active.ID, Role: active.Role}
		},
	})
	if err == nil {
		s.drop()
	}
	return active, err
}
