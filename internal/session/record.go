package session

import (
	"cmp"
	"net/url"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/audit"
	"github.com/zen-auth/zen/internal/store"
)

// actor is who is named in the audit log.
type actor struct{ provider, tokenProvider, subject string }

// name is the provider that makes the tokens.
func (a actor) name() string { return cmp.Or(a.tokenProvider, a.provider) }

// as names the account of a way.
func (s *Session) as(record store.Record, w way) actor {
	a := actor{provider: w.identity, subject: subject(record.Accounts[w.identity])}
	if w.minter != w.identity {
		a.tokenProvider = w.minter
	}
	return a
}

// subject is whom an account belongs to, by the issuer's name for it.
func subject(account store.Account) string {
	if account.Claims.Subject != "" {
		return account.Claims.Subject
	}
	return account.Credential.Subject
}

// audit writes down what became of something.
func (s *Session) audit(kind audit.Kind, who actor, token provider.Token, err error) {
	if s.Audit == nil {
		return
	}
	host := ""
	if u, err := url.Parse(s.Target.URL); err == nil {
		host = u.Host
	}
	s.Audit.Write(audit.Event{
		Kind: kind, Profile: s.Profile, Provider: who.provider, TokenProvider: who.tokenProvider,
		Subject: who.subject, Database: host, Outcome: audit.Outcome(err), TokenExpires: token.Expires,
	})
}
