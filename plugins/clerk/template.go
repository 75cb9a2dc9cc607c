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
	"github.com/zen-auth/zen/core/provider"
)

const (
	fixTemplate  = "template"
	keySecretKey = "secret_key"

	// longLife is how long a token may live before Check warns: nothing takes one back
	// at Turso. usualLife is what Fix gives it then.
	longLife  = 24 * time.Hour
	usualLife = time.Hour
)

// tursoClaims are the names that Turso reads. What else a template has stays.
var tursoClaims = []string{"id", "gid", "a", "p", "perm", "rid"}

// checkTemplate makes a token as for the database, and looks at it. renewed is what has to
// be stored, where not nil.
func (p *clerkProvider) checkTemplate(ctx context.Context, req provider.CheckRequest) (provider.Finding, *provider.Credential) {
	const id = "template"
	skipped := func(text string) (provider.Finding, *provider.Credential) {
		return provider.Finding{ID: id, Severity: provider.SeveritySkipped, Text: text}, nil
	}
	if req.Target == (provider.Target{}) {
		return skipped("the profile has no database")
	}
	if req.Credential == nil {
		return skipped("nobody is signed in")
	}
	held, err := p.decodeCredential(*req.Credential)
	if err != nil {
		return provider.Failed(id, err), nil
	}
	if held.session == nil {
		return skipped("the sign-in makes no tokens from a template")
	}
	name, err := p.settings.templateFor(req.Access)
	if err != nil {
		return provider.Failed(id, err), nil
	}
	before := held.session.Client
	value, err := p.frontend.Mint(ctx, held.session, name)
	var renewed *provider.Credential
	if !held.session.Client.Equal(before) {
		c := p.sessionCredential(held.session, req.Credential.Subject, req.Credential.Issued)
		renewed = &c
	}
	finding := provider.Passed(id, "tokens of the JWT template %s carry Turso's claims for the database", name)
	if err != nil {
		finding = provider.Failed(id, err)
		if errors.Is(err, provider.ErrConfig) {
			finding.Fix = p.templateFix(name, req.Purpose, "make")
		}
		return finding, renewed
	}
	claims, err := p.Verify(ctx, value)
	if err != nil {
		finding = provider.Failed(id, err)
		finding.Cause = "a custom signing key of the template signs with a key that no key set has"
		finding.Fix = p.templateFix(name, req.Purpose, "correct")
		return finding, renewed
	}
	switch life := claims.Expires.Sub(claims.Issued); {
	case claims.Authorizes(req.Target, req.Access, req.Permissions) != nil:
		finding = provider.Failed(id, claims.Authorizes(req.Target, req.Access, req.Permissions))
	case len(claims.Audience) > 0:
		finding.Severity, finding.Text = provider.SeverityWarn, fmt.Sprintf("tokens of the JWT template %s have an aud, which sqld refuses", name)
		finding.Hint = "take aud out of the template"
	case life > longLife:
		finding.Severity, finding.Text = provider.SeverityWarn, fmt.Sprintf("tokens of the JWT template %s live %s, and nothing takes one back at Turso", name, life)
		finding.Hint = "set its token lifetime to an hour or less"
	}
	if finding.Severity != provider.SeverityOK {
		finding.Fix = p.templateFix(name, req.Purpose, "correct")
	}
	return finding, renewed
}

// templateFix offers the repair where Turso has said what the claims are.
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
// and the read-only one beside it where there is a name for it, or corrects them.
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

// parseClaims reads what Turso printed. Its numbers stay as they are.
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
// what the app's backend wrote about a person stay; from what that person can write, they
// don't.
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

// backend is Clerk's Backend API with a secret key that is of this very instance.
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
