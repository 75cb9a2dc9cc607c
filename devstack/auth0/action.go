package auth0

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Action stands for a Post Login Action: it runs whenever tokens are about to be
// issued, with the tenant locked, and must return at once.
type Action func(*Login)

// Login is the input of an Action, and what it can do.
type Login struct {
	User         User
	Organization *Organization // nil without one
	ClientID     string
	Audience     string // "" when none was asked for
	Scopes       []string
	// Refresh is true when a refresh token is being exchanged.
	Refresh bool

	outcome
}

// outcome is the result of an Action for the tokens.
type outcome struct {
	access map[string]any
	denied *oauthError
}

// SetAccessTokenClaim is api.accessToken.setCustomClaim. A claim that Auth0 reserves is
// dropped silently, and so are all claims for a login's token without an audience.
func (o *outcome) SetAccessTokenClaim(name string, value any) { setClaim(&o.access, name, value) }

// Deny is api.access.deny: no tokens, and the reason for the person to read.
func (l *Login) Deny(reason string) { l.denied = errOAuth(403, "access_denied", reason) }

// Claims returns an Action that sets the same claims on every access token.
func Claims(claims map[string]any) Action {
	set := setAll(claims)
	return func(l *Login) { set(&l.outcome) }
}

func setAll(claims map[string]any) func(*outcome) {
	claims = maps.Clone(claims)
	return func(o *outcome) {
		for name, value := range claims {
			o.SetAccessTokenClaim(name, value)
		}
	}
}

// maxClaims is the largest total of a token's custom claims; beyond it none is added.
const maxClaims = 100 << 10

// restricted are the claims that an Action can't set (Auth0, Create Custom
// Claims, General restrictions).
var restricted = strings.Fields(`acr act active amr at_hash ath attest aud auth_time authorization_details azp
	c_hash client_id cnf cty dest entitlements events exp groups gty htm htu iat internalService iss jcard jku
	jti jwe jwk kid may_act mky nbf nonce object_id org_id org_name orig origid permissions roles rph s_hash sid
	sip_callid sip_cseq_num sip_date sip_from_tag sip_via_branch sub sub_jwk toe txn typ uuid vot vtm x5t#S256
	scope`)

// setClaim leaves the claim out where Auth0 does: "In case of collisions, the
// transaction won't fail, but your custom claim won't be added".
func setClaim(claims *map[string]any, name string, value any) {
	if name == "" || slices.Contains(restricted, name) || strings.HasPrefix(name, "urn:auth0") {
		return
	}
	next := maps.Clone(*claims)
	if next == nil {
		next = map[string]any{}
	}
	next[name] = value
	if encoded, err := json.Marshal(next); err != nil || len(encoded) > maxClaims {
		return
	}
	*claims = next
}

// runAction runs the Action for a grant and stores what it set. It returns the Action's
// denial, if any.
func (t *Tenant) runAction(g *grant, refresh bool) error {
	g.accessClaims = nil
	login := &Login{
		User: g.user.User, ClientID: g.application.ClientID, Audience: g.audience(), Scopes: slices.Clone(g.scopes), Refresh: refresh,
	}
	if g.organization != nil {
		org := g.organization.Organization
		login.Organization = &org
	}
	return t.runFlow(triggerLogin, g, login.Audience, login.Scopes, &login.outcome, func() { t.action(login) })
}

// runFlow runs the Actions of a trigger, of which own is the stack's, and stores what
// they set in the grant.
func (t *Tenant) runFlow(trigger string, g *grant, audience string, scopes []string, o *outcome, own func()) error {
	for _, b := range t.flowOf(trigger) {
		if b.action.own {
			own()
		} else {
			b.action.deployed.run(audience, scopes, o.SetAccessTokenClaim)
		}
		if o.denied != nil {
			return o.denied
		}
	}
	g.accessClaims = o.access
	return nil
}
