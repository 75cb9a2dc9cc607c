package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/jwks/keyset"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/names"
)

// issuer checks the key set that verifies the tokens, and has each provider run its own
// checks.
func (e *exam) issuer(ctx context.Context) {
	e.findVerification(ctx)
	if e.issuers.KeySetURL != "" {
		e.keySet(ctx)
	}
	for _, name := range e.providerNames() {
		e.checkProvider(ctx, name)
	}
}

// findVerification finds out which key set verifies the profile's tokens: from the stored
// token, or from the issuing provider.
func (e *exam) findVerification(ctx context.Context) {
	if status, err := e.Session.Status(ctx); err == nil && status.Token.Verification != nil {
		e.issuers = *status.Token.Verification
		return
	}
	name := e.Profile.TokenProvider.Value
	if name == "" {
		name = e.signsIn()
	}
	p, err := e.Providers.Provider(ctx, name)
	if err != nil {
		return // checkProvider reports it
	}
	setup, err := p.Setup(ctx, provider.SetupRequest{Purpose: e.purpose()})
	if err == nil && setup.Issuer != nil {
		e.issuers = *setup.Issuer
	}
}

func (e *exam) purpose() provider.Purpose {
	return provider.Purpose{Target: e.Profile.Target(), Access: e.Profile.Access.Value, Permissions: e.Profile.Permissions.Value}
}

// fullPurpose returns the purpose with the claims that Turso requires, if Turso can be
// asked for them. A provider needs them to repair a template.
func (e *exam) fullPurpose(ctx context.Context) provider.Purpose {
	if e.claimed != nil {
		return *e.claimed
	}
	purpose := e.purpose()
	e.claimed = &purpose
	if e.Turso == nil || purpose.Target.URL == "" {
		return purpose
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	d, err := e.findDatabase(ctx)
	if err != nil {
		return purpose // the layers turso and plan report it
	}
	template := func(access provider.Access, permissions []provider.Permission) string {
		claims, err := Template(ctx, e.Turso, e.Organization, d.Name, access, permissions)
		if err != nil {
			return ""
		}
		return string(claims)
	}
	purpose.ReadOnlyTemplate = template(provider.AccessReadOnly, nil)
	purpose.Template = template(purpose.Access, purpose.Permissions)
	e.claimed = &purpose
	return purpose
}

func (e *exam) keySet(ctx context.Context) {
	set, err := keyset.New(e.issuers.KeySetURL, keyset.Options{Client: e.Client})
	if err != nil {
		e.fail("issuer.key-set", err, "", "")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	keys, _, err := set.Held(ctx)
	if err != nil {
		e.fail("issuer.key-set", err, "Turso fetches the same key set, and so accepts no token either", "ask the issuer's status page; the tokens of another provider work: zen login --provider platformtoken")
		return
	}
	e.keys = keys
	e.ok("issuer.key-set", fmt.Sprintf("%s has the keys %s", e.issuers.KeySetURL, strings.Join(keyIDs(keys.Keys), ", ")))
}

func keyIDs(keys []jwks.Key) []string {
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = fmt.Sprintf("%.60s", k.ID)
	}
	return ids
}

// checkProvider has a provider run its own checks.
func (e *exam) checkProvider(ctx context.Context, name string) {
	worst := provider.SeverityError
	if slices.Contains(e.Profile.Fallback.Value, name) {
		worst = provider.SeverityWarn // it isn't in use
	}
	p, err := e.Providers.Provider(ctx, name)
	if err != nil {
		e.add(Finding{ID: "config.provider", Severity: worst, Kind: provider.Kind(err), Observed: err.Error(), Next: provider.Hint(err)})
		return
	}
	purpose := e.fullPurpose(ctx)
	err = e.WithCredential(ctx, name, func(ctx context.Context, credential *provider.Credential) (*provider.Credential, error) {
		return p.Check(ctx, provider.CheckRequest{Credential: credential, Purpose: purpose}, func(f provider.Finding) error {
			severity := f.Severity
			if severity == provider.SeverityError {
				severity = worst
			}
			found := Finding{ID: name + "." + f.ID, Severity: severity, Kind: f.Kind, Observed: f.Text, Cause: f.Cause, Next: f.Hint}
			if f.Fix != nil {
				found.Fix = e.providerFix(p, name, *f.Fix, purpose)
				found.Next = cmp.Or(found.Next, "zen doctor --fix can "+f.Fix.Text)
			}
			e.add(found)
			return ctx.Err()
		})
	})
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		e.add(Finding{ID: "binary.provider-fails", Severity: worst, Kind: provider.Kind(err), Observed: fmt.Sprintf("%s could not run its checks: %v", name, err), Next: provider.Hint(err)})
	}
}

// providerFix returns a repair that a provider offers. Its questions and steps begin with
// the provider's name, and an answer may come from a variable only if that variable is
// one of the provider's own.
func (e *exam) providerFix(p Provider, name string, fix provider.Fix, purpose provider.Purpose) *Fix {
	questions := slices.Clone(fix.Questions)
	for i := range questions {
		q := &questions[i]
		q.Text = name + ": " + q.Text
		q.Env = slices.DeleteFunc(slices.Clone(q.Env), func(variable string) bool { return !names.IsOwnVariable(name, variable) })
	}
	return &Fix{Text: fix.Text, Questions: questions, Do: func(ctx context.Context, answers map[string]provider.Secret, tell func(string)) error {
		return e.WithCredential(ctx, name, func(ctx context.Context, credential *provider.Credential) (*provider.Credential, error) {
			return p.Fix(ctx, provider.FixRequest{ID: fix.ID, Credential: credential, Purpose: purpose, Answers: answers},
				func(step provider.Progress) error { tell(name + ": " + step.Text); return nil })
		})
	}}
}

// token gets a token, as every command does, and checks it against the profile.
func (e *exam) token(ctx context.Context) {
	token, err := e.Session.TokenFor(ctx, 0)
	if err != nil {
		e.fail("token.not-issued", err, "", "")
		return
	}
	claims, err := jwks.DecodeUnverified(token.Value) // the session has verified it
	if err != nil {
		e.fail("token.unreadable", err, "", "")
		return
	}
	e.issued, e.claims = token, claims
	if token.Verification != nil {
		e.issuers = *token.Verification
	}
	if by := e.Session.Issuer(); slices.Contains(e.Profile.Fallback.Value, by) {
		e.add(Finding{
			ID: "token.fallback", Severity: provider.SeverityWarn, Kind: provider.ErrUnavailable,
			Observed: "the tokens come from the fallback provider " + by, Next: "the first failing line above says why; zen retries the profile's own provider automatically",
		})
	}
	if err := claims.Authorizes(e.Profile.Target(), e.Profile.Access.Value, e.Profile.Permissions.Value); err != nil {
		e.fail("token.claims", err, "", "zen jwks template prints the claims that the issuer's template or Action needs")
		return
	}
	if e.keys != nil && e.issuers.KeySetURL == e.keys.URL && !slices.ContainsFunc(e.keys.Keys, func(k jwks.Key) bool { return k.ID == claims.KeyID }) {
		e.add(Finding{
			ID: "issuer.key-missing", Severity: provider.SeverityError, Kind: provider.ErrTokenInvalid,
			Observed: fmt.Sprintf("the key that signed the token (kid %.80s) is not in the issuer's key set", claims.KeyID),
			Cause:    "the issuer rotates its keys, or publishes them late", Next: "zen token --renew, then run zen doctor again in a minute",
		})
		return
	}
	what := cmp.Or(claims.Issuer, "Turso")
	until := "without an expiry"
	if !token.Expires.IsZero() {
		until = "until " + token.Expires.UTC().Format("15:04:05 UTC")
	}
	e.ok("token.ok", fmt.Sprintf("%s issued a token for this database, access %s, %s", what, claims.Database.Access, until))
}

// plainError returns the text of an error without the URL that net/http puts before it.
func plainError(err error) string {
	if sent, ok := errors.AsType[*url.Error](err); ok {
		return sent.Err.Error()
	}
	return err.Error()
}
