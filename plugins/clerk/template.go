package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

const (
	fixTemplate  = "template"
	keySecretKey = "secret_key"

	// longLife is the longest token lifetime that Check accepts without a warning: Turso
	// can't revoke a token. usualLife is what Fix sets instead.
	longLife  = 24 * time.Hour
	usualLife = time.Hour
	// leastSkew is the least time by which nbf should precede iat; usualSkew is what Fix
	// sets, and Clerk's default.
	leastSkew = 2 * time.Second
	usualSkew = 5 * time.Second
)

// tursoClaims are the names that Turso reads. A template's other claims are kept.
var tursoClaims = []string{"id", "gid", "a", "p", "perm", "rid"}

// checkTokens requests a token of each kind that the sign-in can issue, and checks it.
// renewed, if not nil, has to be stored.
func (p *clerkProvider) checkTokens(ctx context.Context, req provider.CheckRequest) (findings []provider.Finding, renewed *provider.Credential) {
	const id, sessions = "template", "session-token"
	only := func(f provider.Finding) ([]provider.Finding, *provider.Credential) { return []provider.Finding{f}, nil }
	if req.Credential == nil {
		return only(provider.Finding{ID: id, Severity: provider.SeveritySkipped, Text: "not signed in"})
	}
	held, err := p.decodeCredential(*req.Credential)
	if err != nil {
		return only(provider.Failed(id, err))
	}
	if held.grant != nil {
		finding, renewed := p.checkGrant(ctx, held.grant, *req.Credential)
		return []provider.Finding{finding}, renewed
	}
	if held.session == nil {
		return only(provider.Finding{ID: id, Severity: provider.SeveritySkipped, Text: "the sign-in makes no tokens from a template"})
	}
	before := held.session.Client
	findings = []provider.Finding{p.checkSessionToken(ctx, sessions, held), p.checkTemplate(ctx, id, held.session, req.Purpose)}
	if !held.session.Client.Equal(before) {
		c := p.sessionCredential(held, req.Credential.Subject, req.Credential.Issued)
		renewed = &c
	}
	return findings, renewed
}

// checkSessionToken checks the session token, which every browser of the app holds, and
// which is signed by the same key as database tokens.
func (p *clerkProvider) checkSessionToken(ctx context.Context, id string, held stored) provider.Finding {
	value, err := p.frontend.Mint(ctx, held.session, "")
	if err != nil {
		return provider.Failed(id, err)
	}
	claims, err := jwks.DecodeUnverified(value)
	if err != nil {
		return provider.Failed(id, err)
	}
	if held.organization != "" && organizationMark(claims.Organization) != held.organization {
		return provider.Finding{
			ID: "organization", Severity: provider.SeverityError, Kind: provider.ErrPermission,
			Text: "the sign-in was for an organization that its session tokens do not name any more: the account may have left it",
			Hint: "ask its administrators, or run zen login for another one; zen org list shows yours",
		}
	}
	if d := claims.Database; d == nil || d.DatabaseID == "" && d.GroupID == "" && len(d.Namespaces) == 0 {
		return provider.Finding{
			ID: id, Severity: provider.SeverityWarn,
			Text: "the session tokens of the instance have none of Turso's claims: Turso reads one as access to every database of every group",
			Hint: "in the Clerk dashboard, Sessions, Customize session token, add " + closedClaims,
		}
	}
	return provider.Passed(id, "the session tokens of the instance have claims of a database, so that they don't open every one")
}

// closedClaims open no database: closedID is no database's id.
const (
	closedID     = "none"
	closedClaims = `{"id": "` + closedID + `", "a": "ro", "perm": []}`
)

// checkTemplate requests a token as for the database, and checks it.
func (p *clerkProvider) checkTemplate(ctx context.Context, id string, s *clerk.Session, purpose provider.Purpose) provider.Finding {
	if purpose.Target == (provider.Target{}) {
		return provider.Finding{ID: id, Severity: provider.SeveritySkipped, Text: "the profile has no database"}
	}
	name, err := p.settings.templateFor(purpose.Access)
	if err != nil {
		return provider.Failed(id, err)
	}
	value, err := p.frontend.Mint(ctx, s, name)
	if err != nil {
		finding := provider.Failed(id, err)
		if errors.Is(err, provider.ErrConfig) {
			finding.Fix = p.templateFix(name, purpose, "make")
		}
		return finding
	}
	finding := provider.Passed(id, "tokens of the JWT template %s carry Turso's claims for the database", name)
	claims, err := p.Verify(ctx, value)
	if err != nil {
		finding = provider.Failed(id, err)
		if unverified, decodeErr := jwks.DecodeUnverified(value); decodeErr != nil || unverified.Issuer != p.settings.instance.URL {
			return finding // not an error of the template
		}
		finding.Cause = "a custom signing key of the template signs with a key that no key set has"
	} else if err := claims.Authorizes(purpose.Target, purpose.Access, purpose.Permissions); err != nil {
		finding = provider.Failed(id, err)
	} else if text, hint := weakness(claims, value, purpose); text != "" {
		finding.Severity, finding.Text, finding.Hint = provider.SeverityWarn, fmt.Sprintf("tokens of the JWT template %s %s", name, text), hint
	}
	if finding.Severity != provider.SeverityOK {
		finding.Fix = p.templateFix(name, purpose, "correct")
	}
	return finding
}

// weakness returns what is wrong with a token that nevertheless opens the database, or
// "".
func weakness(claims provider.Claims, token provider.Secret, purpose provider.Purpose) (text, hint string) {
	said, wanted := payload(token), map[string]any{}
	if purpose.Template != "" {
		wanted, _ = parseClaims(purpose.Template) // on request, it uses Turso's claims
	}
	for _, claim := range tursoClaims {
		_, is := said[claim]
		switch _, should := wanted[claim]; {
		case len(wanted) > 0 && should && !is:
			return "lack the claim " + claim + " of Turso's template", "add what zen jwks template prints"
		case len(wanted) > 0 && !should && is:
			return "have a claim " + claim + ", which Turso reads and its template doesn't have", "take it out, or give it another name"
		}
	}
	if perm, there := said["perm"]; there && !bytes.HasPrefix(perm, []byte("[")) {
		return "have a claim perm that is no list, so that it limits nothing", "public_metadata has to have one for everybody, an empty list for no limit"
	}
	if life := claims.Expires.Sub(claims.Issued); life > longLife {
		return fmt.Sprintf("live %s, and nothing takes one back at Turso", life), "set its token lifetime to an hour or less"
	}
	switch {
	case len(claims.Audience) > 0:
		return "have an aud, which sqld refuses", "take aud out of the template"
	case !claims.NotBefore.IsZero() && claims.Issued.Sub(claims.NotBefore) < leastSkew:
		return "are good only from the second in which they are made: a clock that is behind refuses them", "set its allowed clock skew to 5 seconds, as Clerk has it"
	}
	return "", ""
}

// payload returns the claims of a token as written in it.
func payload(token provider.Secret) (said map[string]json.RawMessage) {
	oauth.ReadClaims(token, &said)
	return said
}

// templateFix offers the repair if Turso's claims are known.
func (p *clerkProvider) templateFix(name string, purpose provider.Purpose, verb string) *provider.Fix {
	if purpose.Template == "" {
		return nil
	}
	return &provider.Fix{
		ID: fixTemplate, Text: fmt.Sprintf("%s the JWT template %s in the Clerk instance %s, with Turso's claims for %s", verb, name, p.settings.instance.Host, purpose.Target.URL),
		Questions: []provider.Question{{
			Key: keySecretKey, Text: "Secret key of the Clerk instance (sk_..., from API keys in the Clerk dashboard); it is used now, and kept nowhere",
			Env: []string{"CLERK_SECRET_KEY"},
		}},
	}
}

// Fix implements provider.Fixer: it makes the JWT template for the access of the purpose,
// and the read-only one beside it if there is a name for it, or corrects them.
func (p *clerkProvider) Fix(ctx context.Context, req provider.FixRequest, report func(provider.Progress) error) (*provider.Credential, error) {
	if err := p.configured(); err != nil {
		return nil, err
	}
	if req.ID != fixTemplate {
		return nil, &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("clerk: there is no fix %.40q", req.ID)}
	}
	name, err := p.settings.templateFor(req.Access)
	if err != nil {
		return nil, err
	}
	wanted := []struct{ name, claims string }{{name, req.Template}}
	if readOnly := p.settings.readOnlyTemplate; req.Access != provider.AccessReadOnly && readOnly != "" && req.ReadOnlyTemplate != "" {
		wanted = append(wanted, struct{ name, claims string }{readOnly, req.ReadOnlyTemplate})
	}
	var parsed []map[string]any
	for _, w := range wanted {
		claims, err := parseClaims(w.claims)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, claims)
	}
	backend, err := p.backend(ctx, req.Answers[keySecretKey])
	if err != nil {
		return nil, err
	}
	existing, err := backend.Templates(ctx)
	if err != nil {
		return nil, err
	}
	for i, w := range wanted {
		next := clerk.Template{Name: w.name}
		if at := slices.IndexFunc(existing, func(t clerk.Template) bool { return t.Name == w.name }); at >= 0 {
			next = existing[at]
		}
		next.Claims = merged(next.Claims, parsed[i])
		if next.Lifetime > longLife {
			next.Lifetime = usualLife
		}
		if next.ID != "" && next.Skew < leastSkew {
			next.Skew = usualSkew
		}
		if err := backend.SaveTemplate(ctx, next); err != nil {
			return nil, err
		}
		done := "changed"
		if next.ID == "" {
			done = "made"
		}
		if err := report(provider.Progress{Text: fmt.Sprintf("the JWT template %s is %s", w.name, done), Done: i == len(wanted)-1}); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// parseClaims reads the claims that Turso printed. Numbers are kept as written.
func parseClaims(text string) (map[string]any, error) {
	var claims map[string]any
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	if decoder.Decode(&claims) != nil || len(claims) == 0 {
		return nil, &provider.Error{
			Kind: provider.ErrConfig, Message: "clerk: Turso was not asked for the claims that the JWT template has to have",
			Hint: "set TURSO_API_TOKEN, or run zen provider setup clerk with what zen jwks template prints",
		}
	}
	return claims, nil
}

// merged puts Turso's claims into a template's. Permissions that a template takes from
// metadata written by the app's backend are kept; those from metadata that the person can
// write are not.
func merged(old, turso map[string]any) map[string]any {
	claims := maps.Clone(old)
	if claims == nil {
		claims = map[string]any{}
	}
	personal, _ := claims["perm"].(string)
	for _, name := range append([]string{"aud"}, tursoClaims...) {
		delete(claims, name)
	}
	maps.Copy(claims, turso)
	if strings.Contains(personal, "public_metadata") && !strings.Contains(personal, "unsafe_metadata") {
		claims["perm"] = personal
	}
	return claims
}

// backend returns Clerk's Backend API with a secret key, after checking that it belongs
// to this instance.
func (p *clerkProvider) backend(ctx context.Context, key provider.Secret) (*clerk.Backend, error) {
	const hint = "copy it from API keys in the Clerk dashboard, of the instance that the publishable key is of"
	bad := func(format string, args ...any) error {
		return &provider.Error{Kind: provider.ErrConfig, Message: "clerk: secret key: " + fmt.Sprintf(format, args...), Hint: hint}
	}
	kind := clerk.KindOfKey(key.Reveal())
	switch live := strings.HasPrefix(key.Reveal(), "sk_live_"); {
	case key.IsZero():
		return nil, bad("there is none")
	case kind == clerk.KeyUnknown:
		return nil, bad("it is no key of Clerk's")
	case kind != clerk.KeySecret:
		return nil, bad("it is %s", kind)
	case (provider.Token{Value: key}).ValidateValue() != nil:
		return nil, bad("it has characters that no key has")
	case live && !p.settings.instance.Production:
		return nil, bad("it is of a production instance, and the publishable key of a development one")
	}
	backend := clerk.NewBackend(p.settings.backendURL, key, p.client, p.userAgent())
	theirs, err := backend.KeyIDs(ctx)
	if err != nil {
		return nil, err
	}
	ours, err := p.keys.Keys(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range ours {
		if slices.Contains(theirs, k.ID) {
			return backend, nil
		}
	}
	return nil, bad("it is of another instance than %s: their key sets have no key in common", p.settings.instance.Host)
}

// Interface guards
var (
	_ provider.Fixer      = (*clerkProvider)(nil)
	_ provider.SetupGuide = (*clerkProvider)(nil)
)
