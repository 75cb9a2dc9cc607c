package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// longLife is the longest token lifetime that Check accepts without a warning: a token
// can't be revoked.
const longLife = 24 * time.Hour

// Check implements provider.Provider.
func (p *auth0Provider) Check(ctx context.Context, req provider.CheckRequest, report func(provider.Finding) error) (*provider.Credential, error) {
	if err := p.configured(); err != nil {
		return nil, report(provider.Failed("domain", err))
	}
	for _, check := range []func(context.Context) provider.Finding{p.checkIssuer, p.checkKeySet, p.checkClock} {
		finding := check(ctx)
		if err := report(finding); err != nil {
			return nil, err
		}
		if finding.ID == "issuer" && finding.Severity == provider.SeverityError {
			return nil, nil // what follows would fail for the same reason
		}
	}
	var s stored
	if req.Credential != nil {
		s, _ = p.decode(*req.Credential) // its own finding says what is wrong with it
	}
	signIns := []func() provider.Finding{
		func() provider.Finding { return p.checkCallbacks(ctx) },
		func() provider.Finding { return p.checkDevice(ctx, s.Organization) },
	}
	if s.Machine {
		signIns = nil // it opens no browser
	}
	for _, check := range signIns {
		if err := report(check()); err != nil {
			return nil, err
		}
	}
	finding, renewed := p.checkToken(ctx, req)
	return renewed, report(finding)
}

// checkIssuer compares the issuer in the domain's metadata with the expected one.
func (p *auth0Provider) checkIssuer(ctx context.Context) provider.Finding {
	_, err := oauth.Discover(ctx, p.settings.issuer(), oauth.DiscoverOptions{Name: "auth0", HTTP: &http.Client{Transport: p.transport}})
	if err != nil {
		return provider.Failed("issuer", err)
	}
	return provider.Passed("issuer", "the domain %s issues as %s", p.settings.domain(), p.settings.issuer())
}

func (p *auth0Provider) checkKeySet(ctx context.Context) provider.Finding {
	keys, err := p.keys.Keys(ctx)
	if err != nil {
		return provider.Failed("jwks", err)
	}
	ids := make([]string, len(keys))
	for i, key := range keys {
		ids[i] = fmt.Sprintf("%.60q", key.ID)
	}
	return provider.Passed("jwks", "%s has the keys %s", p.settings.keySetURL(), strings.Join(ids, ", "))
}

// checkClock compares with the Date of an answer.
func (p *auth0Provider) checkClock(ctx context.Context) provider.Finding {
	res, err := p.get(ctx, p.settings.keySetURL())
	if err != nil {
		return provider.Failed("clock", err)
	}
	date, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return provider.Skipped("clock", "Auth0's answer has no date")
	}
	return jwks.CheckClock("Auth0", date, p.now())
}

// checkCallbacks starts a sign-in for each address, and checks where a browser would be
// sent: Auth0 shows a page of its own if it doesn't know the address.
func (p *auth0Provider) checkCallbacks(ctx context.Context) provider.Finding {
	const id = "callbacks"
	if p.settings.clientID == "" {
		return provider.Skipped(id, "client_id is not set")
	}
	var missing []string
	addresses := oauth.CallbackURLs(p.settings.ports)
	for _, address := range addresses {
		known, err := p.people.TryBrowser(ctx, address, oauth.BrowserOptions{Scopes: []string{"openid"}, Params: url.Values{"audience": {p.settings.audience}}})
		if err != nil {
			finding := provider.Failed(id, err)
			if oauth.Code(err) != "" { // the address is known, and the rest is wrong
				finding.Hint = fmt.Sprintf("is audience (%.100q) the identifier of an API of the tenant?", p.settings.audience)
			}
			return finding
		}
		if !known {
			missing = append(missing, address)
		}
	}
	if len(missing) == 0 {
		return provider.Passed(id, "the application %s allows %s", p.settings.clientID, strings.Join(addresses, ", "))
	}
	return provider.Finding{
		ID: id, Severity: provider.SeverityError, Kind: provider.ErrConfig,
		Text:  fmt.Sprintf("Auth0 refuses %s: the browser would show Callback URL mismatch, or that it knows no application %s", strings.Join(missing, ", "), p.settings.clientID),
		Cause: "Auth0 compares callback addresses to the letter, ports too",
		Hint:  "add them to Allowed Callback URLs of the application, in the Auth0 dashboard",
		Fix:   managementFix(fixCallbacks, fmt.Sprintf("allow %s as callbacks of the application %s in %s", strings.Join(missing, ", "), p.settings.clientID, p.settings.domain())),
	}
}

// get requests a page without following redirects or reading its body.
func (p *auth0Provider) get(ctx context.Context, address string) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	res, err := httpclient.Over(p.transport).Do(req)
	if err != nil {
		return nil, httpclient.Failure("auth0: ask "+p.settings.domain(), err)
	}
	return res, res.Body.Close()
}

// checkDevice requests a code that will not be used. organization is that of the sign-in.
func (p *auth0Provider) checkDevice(ctx context.Context, organization string) provider.Finding {
	const id = "device"
	switch {
	case p.settings.clientID == "":
		return provider.Skipped(id, "client_id is not set")
	case cmp.Or(organization, p.settings.organization) != "":
		return provider.Skipped(id, "an application that has organizations can't have the grant Device Code")
	}
	err := p.people.TryDevice(ctx, oauth.DeviceOptions{Scopes: []string{"openid"}, Params: url.Values{"audience": {p.settings.audience}}})
	if err == nil {
		return provider.Passed(id, "the application may sign in on other devices")
	}
	finding := provider.Failed(id, err)
	if oauth.Code(err) == oauth.CodeUnauthorizedClient {
		finding.Severity = provider.SeverityWarn
		finding.Hint = "allow the grant Device Code in the advanced settings of the application; one that has organizations can't have it"
		finding.Fix = managementFix(fixGrants, fmt.Sprintf("allow the grants authorization_code, refresh_token and device_code to the application %s in %s", p.settings.clientID, p.settings.domain()))
	}
	return finding
}

// checkToken requests a token as for the database, and checks it.
func (p *auth0Provider) checkToken(ctx context.Context, req provider.CheckRequest) (provider.Finding, *provider.Credential) {
	const id = "token"
	credential, err := p.credentialOr(req.Credential)
	if err != nil {
		return provider.Skipped(id, "not signed in"), nil
	}
	s, err := p.decode(credential)
	if err != nil {
		return provider.Failed(id, err), nil
	}
	tokens, renewed, err := p.renew(ctx, s, credential, p.scopesFor(req.Access))
	if err != nil {
		finding := provider.Failed(id, err)
		if s.Machine && strings.Contains(provider.Hint(err), "client grant") {
			finding.Fix = managementFix(fixClientGrant, fmt.Sprintf("authorize the application %s for the API %s in %s", p.machines.ID, p.settings.audience, p.settings.domain()))
		}
		return finding, renewed
	}
	claims, err := p.verifyAccess(ctx, p.access, tokens.Access)
	if err == nil {
		err = p.checkOrganization(claims, s.Organization)
	}
	if err != nil {
		return provider.Failed(id, err), renewed
	}
	if err := p.checkDatabase(claims, s.Machine, want{req.Target, req.Access, req.Permissions}); err != nil {
		finding := provider.Failed(id, err)
		a := peopleAction
		if s.Machine {
			a = machineAction
		}
		if req.Template != "" {
			finding.Fix = managementFix(a.trigger, fmt.Sprintf("deploy the Action %s with Turso's claims for %s, and put it into the flow of the trigger %s in %s", a.name, req.Target.URL, a.trigger, p.settings.domain()))
		}
		return finding, renewed
	}
	life := claims.Expires.Sub(claims.Issued)
	if life > longLife {
		finding := provider.Passed(id, "access tokens live %s, and nothing takes one back at Turso", life)
		finding.Severity, finding.Hint = provider.SeverityWarn, fmt.Sprintf("set the token expiration of the API %s to an hour", p.settings.audience)
		return finding, renewed
	}
	return provider.Passed(id, "an access token for %s carries Turso's claims, and lives %s", p.settings.audience, life), renewed
}
