package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/audit"
	"github.com/zen-auth/zen/internal/store"
)

// UI draws what a provider asks for while somebody signs in: provider.Host
// without Store, which is the session's part.
type UI interface {
	OpenURL(ctx context.Context, url, code string) error
	ShowCode(ctx context.Context, code, url string, expires time.Time) error
	Progress(ctx context.Context, text string) error
	Ask(ctx context.Context, question string) (string, error)
	AskSecret(ctx context.Context, question string) (provider.Secret, error)
}

// Login signs in with the named provider, which the profile uses from then on.
// The credentials of other providers stay.
func (s *Session) Login(ctx context.Context, name string, req provider.LoginRequest, ui UI) (store.Account, error) {
	description, err := s.Providers.Describe(ctx, name)
	if err != nil {
		return store.Account{}, err
	}
	if err := s.foresee(ctx, name, description, &req); err != nil {
		return store.Account{}, err
	}
	identity, err := s.Providers.Identity(ctx, name)
	if err != nil {
		return store.Account{}, err
	}
	if s.mints(name) {
		req.Target, req.Access, req.Permissions = s.Target, s.Access, s.Permissions
	}
	host := &loginHost{UI: ui, session: s, provider: name, envNames: envNames(description)}
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
	s.audit(audit.SignIn, actor{provider: name, subject: subject(*host.stored)}, provider.Token{}, nil)
	if noted, ok := identity.(interface{ Notes() []provider.Note }); ok {
		for _, note := range noted.Notes() {
			s.notify(note.Text)
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
	stored   *store.Account
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
	keeps := result.Token != nil && s.mints(h.provider)
	if result.Token != nil {
		token, claims, err := s.check(ctx, *result.Token, false)
		if err != nil {
			return fmt.Errorf("check the first token: %w", err)
		}
		keeps, result.Token = keeps && s.checkPlace(claims, "") == nil, &token
	}
	account := store.Account{
		Credential: result.Credential,
		Claims:     result.Claims,
		SignedIn:   s.Now(),
		EnvNames:   h.envNames,
	}
	err := s.Store.Lock(ctx, s.Profile, func(l *store.Locked) error {
		l.Provider = h.provider
		l.Accounts[h.provider] = account
		forget(&l.Record, h.provider)
		l.Detours = nil
		if keeps {
			w := s.own(l.Record)
			w.identity, w.minter = h.provider, h.provider
			s.keep(&l.Record, *result.Token, w)
		}
		return l.Save()
	})
	if err == nil {
		h.stored = &account
		s.drop()
	}
	return err
}

// mints reports whether the named provider also makes the tokens once it has signed
// in. Otherwise the login need not prove that it could.
func (c Config) mints(name string) bool { return c.TokenProvider == "" || c.TokenProvider == name }

func envNames(d provider.Description) []string {
	var names []string
	for _, field := range d.Fields {
		names = append(names, field.Env...)
	}
	return names
}

// forget drops the cached tokens that the named provider had a part in.
func forget(record *store.Record, name string) {
	for key := range record.Tokens {
		identity, rest, _ := strings.Cut(key, "/")
		minter, _, _ := strings.Cut(rest, "/")
		if identity == name || minter == name {
			delete(record.Tokens, key)
		}
	}
}

// SignedOut is what became of one provider's credential.
type SignedOut struct {
	Provider string
	Subject  string
	// NotRevoked says why the issuer still knows the credential; nil where it was
	// revoked. It is forgotten here in any case.
	NotRevoked error
}

// Logout revokes the credential of the provider in use, or with all those of
// every provider of the profile, and forgets it here whatever the issuer says. What
// doesn't open (store.ErrShut) is forgotten as a whole.
func (s *Session) Logout(ctx context.Context, all bool) ([]SignedOut, error) {
	defer s.drop()
	var out []SignedOut
	err := s.Store.Lock(ctx, s.Profile, func(l *store.Locked) error {
		inUse, _ := s.names(l.Record)
		if !all {
			if err := s.signedIn(l.Record, inUse); err != nil {
				return err
			}
		}
		for _, name := range slices.Sorted(maps.Keys(l.Accounts)) {
			if !all && name != inUse {
				continue
			}
			account := l.Accounts[name]
			revoked := s.revoke(ctx, name, account)
			out = append(out, SignedOut{name, account.Credential.Subject, revoked})
			s.audit(audit.Revoke, actor{provider: name, subject: subject(account)}, provider.Token{}, revoked)
			delete(l.Accounts, name)
			forget(&l.Record, name)
		}
		l.Detours = nil
		if _, ok := l.Accounts[l.Provider]; !ok {
			l.Provider = ""
		}
		return l.Save()
	})
	if errors.Is(err, store.ErrShut) && ctx.Err() == nil {
		out, err = s.forgetShut(ctx, err)
	}
	for _, o := range out {
		s.audit(audit.SignOut, actor{provider: o.Provider, subject: o.Subject}, provider.Token{}, err)
	}
	return out, err
}

// forgetShut removes credentials that nobody could read in order to revoke them: one
// sign-in can't be taken out of a file that doesn't open. Whose they were is known as
// far as it was written down.
func (s *Session) forgetShut(ctx context.Context, why error) ([]SignedOut, error) {
	meta, _ := s.Store.Meta(s.Profile)
	if err := s.Store.Delete(ctx, s.Profile); err != nil {
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
		name, _ := s.names(store.Record{})
		out = append(out, SignedOut{Provider: cmp.Or(name, "unknown provider"), NotRevoked: notRevoked})
	}
	for _, o := range out {
		s.audit(audit.Revoke, actor{provider: o.Provider, subject: o.Subject}, provider.Token{}, notRevoked)
	}
	return out, nil
}

func (s *Session) revoke(ctx context.Context, name string, account store.Account) error {
	identity, err := s.Providers.Identity(ctx, name)
	if err != nil {
		return err
	}
	return identity.Revoke(ctx, account.Credential)
}
