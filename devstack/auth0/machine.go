package auth0

import (
	"net/url"
	"slices"
	"strings"
)

// MachineAction stands for an Action of the credentials-exchange trigger, which runs when
// a machine requests a token for itself; a Post Login Action doesn't. It runs with the
// tenant locked and must return at once.
type MachineAction func(*Exchange)

// Exchange is the input of a MachineAction, and what it can do.
type Exchange struct {
	ClientID     string
	Organization *Organization // nil without one
	Audience     string
	Scopes       []string

	outcome
}

// Deny is api.access.deny: no token, and an error code: invalid_scope, invalid_request
// or server_error.
func (e *Exchange) Deny(code, reason string) {
	status := 400
	if code == "server_error" {
		status = 500
	}
	e.denied = errOAuth(status, code, reason)
}

// MachineClaims returns a MachineAction that sets the same claims on every token.
func MachineClaims(claims map[string]any) MachineAction {
	set := setAll(claims)
	return func(e *Exchange) { set(&e.outcome) }
}

// SetMachineAction replaces the MachineAction, from the next exchange on.
func (t *Tenant) SetMachineAction(action MachineAction) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.machineAction = action
}

// exchangeCredentials issues a token to an application for itself. There is neither a
// refresh token nor an id_token: the application authenticates again instead.
func (t *Tenant) exchangeCredentials(application *Application, form url.Values) (object, error) {
	if !application.confidential() {
		return nil, errUnauthorized()
	}
	audience := form.Get("audience")
	if audience == "" {
		// Tenants may have a default audience; this one, like most, has none.
		return nil, errOAuth(403, "access_denied", "No audience parameter was provided, and no default audience has been configured")
	}
	api, err := t.findAPI(audience)
	if err != nil {
		return nil, err
	}
	grants := t.clientGrants(application)
	i := slices.IndexFunc(grants, func(g ClientGrant) bool { return g.Audience == audience })
	if i < 0 {
		return nil, errOAuth(403, "access_denied", `Client is not authorized to access "`+audience+`". You need to create a "client-grant" associated to this API. `+
			`See: https://auth0.com/docs/api/v2#!/Client_Grants/post_client_grants`)
	}
	g := &grant{application: application, api: api, grantType: "client-credentials"}
	if g.organization, err = t.machineOrganization(grants[i], form.Get("organization")); err != nil {
		return nil, err
	}
	g.scopes = machineScopes(grants[i], form.Get("scope"))
	if err := t.runMachineAction(g); err != nil {
		return nil, err
	}
	return t.tokens(g)
}

// machineScopes returns the scopes of the grant, or those of them that a request names.
func machineScopes(allowed ClientGrant, requested string) []string {
	if requested == "" {
		return slices.Clone(allowed.Scopes)
	}
	return slices.DeleteFunc(strings.Fields(requested), func(s string) bool { return !slices.Contains(allowed.Scopes, s) })
}

// machineOrganization returns the organization that a request names, if the grant has
// any. The texts are assumptions: Auth0 documents only the settings.
func (t *Tenant) machineOrganization(allowed ClientGrant, requested string) (*organization, error) {
	switch {
	case requested == "" && allowed.Organizations == OrganizationsRequire:
		return nil, errOAuth(400, "invalid_request", "organization is required for this client grant")
	case requested == "":
		return nil, nil
	case allowed.Organizations == OrganizationsDeny || allowed.Organizations == "":
		return nil, errOAuth(400, "invalid_request", "organization is not allowed for this client grant")
	}
	if org := t.organization(requested); org != nil {
		return org, nil
	}
	return nil, errOAuth(400, "invalid_request", "parameter organization is invalid")
}

// runMachineAction runs the Action for a machine's grant and keeps what it set.
func (t *Tenant) runMachineAction(g *grant) error {
	exchange := &Exchange{ClientID: g.application.ClientID, Audience: g.audience(), Scopes: slices.Clone(g.scopes)}
	if g.organization != nil {
		org := g.organization.Organization
		exchange.Organization = &org
	}
	return t.runFlow(triggerMachines, g, exchange.Audience, exchange.Scopes, &exchange.outcome, func() { t.machineAction(exchange) })
}
