package clerk

import (
	"time"

	"github.com/zen-auth/zen/devstack/fault"
)

// Names of the faults that [Options.Fault] is asked about.
const (
	FaultUnavailable      = "clerk-unavailable"
	FaultRateLimited      = "clerk-rate-limited"
	FaultHTML             = "clerk-html"
	FaultJWKSUnavailable  = "clerk-jwks-unavailable"
	FaultKeySwapped       = "clerk-key-swapped"
	FaultClockAhead       = "clerk-clock-ahead"
	FaultNativeDisabled   = "clerk-native-disabled"
	FaultSignedOut        = "clerk-signed-out"
	FaultSessionGone      = "clerk-session-gone"
	FaultSecondFactor     = "clerk-second-factor"
	FaultClientTrust      = "clerk-client-trust"
	FaultTemplateMissing  = "clerk-template-missing"
	FaultTemplateEmpty    = "clerk-template-empty"
	FaultTemplateAudience = "clerk-template-audience"
	FaultAPIKeysDisabled  = "clerk-api-keys-disabled"
	FaultDeviceGrantOff   = "clerk-device-grant-off"
	FaultOAuthAnswerLost  = "clerk-oauth-answer-lost"
	FaultOAuthRevoked     = "clerk-oauth-revoked"

	FaultProtectCheck       = "clerk-protect-check"
	FaultSSOOnly            = "clerk-sso-only"
	FaultCodeLimited        = "clerk-code-limited"
	FaultUserBanned         = "clerk-user-banned"
	FaultTeamForbidden      = "clerk-team-forbidden"
	FaultOrganizationLeft   = "clerk-organization-left"
	FaultInvitationQuota    = "clerk-invitation-quota"
	FaultInvitationsLimited = "clerk-invitations-limited"
	FaultAPIKeyUnknown      = "clerk-api-key-unknown"
	FaultAPIKeyRevoked      = "clerk-api-key-revoked"
	FaultAPIKeyExpired      = "clerk-api-key-expired"
	FaultAPIKeyBare         = "clerk-api-key-bare"
	FaultSatellite          = "clerk-satellite"
	FaultRedirectMismatch   = "clerk-redirect-mismatch"
)

// Faults returns the ways in which an instance can be made to fail.
func Faults() []fault.Fault {
	return []fault.Fault{
		{Name: FaultUnavailable, Summary: "Clerk answers every call with 503"},
		{Name: FaultRateLimited, Summary: "Clerk answers every call with 429 and Retry-After"},
		{Name: FaultHTML, Summary: "A proxy before Clerk answers every call with a page: 502, HTML"},
		{Name: FaultJWKSUnavailable, Summary: "Clerk's key sets answer 503; everything else works"},
		{Name: FaultKeySwapped, Summary: "Clerk's key sets publish another key under the same kid, as after a rotation that a cache missed"},
		{Name: FaultClockAhead, Summary: "Clerk's clock is ten minutes ahead: its tokens are not valid yet"},
		{Name: FaultNativeDisabled, Summary: "Clerk answers native clients with native_api_disabled, as when the dashboard's switch is off"},
		{Name: FaultSignedOut, Summary: "Clerk answers every client with signed_out and a new client token"},
		{Name: FaultSessionGone, Summary: "Clerk finds no session, as after it was revoked in the dashboard"},
		{Name: FaultSecondFactor, Summary: "Clerk asks for a second factor where a sign-in would be complete"},
		{Name: FaultClientTrust, Summary: "Clerk asks to trust a new client where a sign-in would be complete"},
		{Name: FaultTemplateMissing, Summary: "Clerk knows no JWT template"},
		{Name: FaultTemplateEmpty, Summary: "Clerk's template tokens lack the template's claims, which Turso reads as full access"},
		{Name: FaultTemplateAudience, Summary: "Clerk's template tokens have an aud, which plain sqld refuses"},
		{Name: FaultAPIKeysDisabled, Summary: "Clerk's API keys feature is off: api_keys_not_enabled, and no key verifies"},
		{Name: FaultDeviceGrantOff, Summary: "Clerk's metadata lacks the device grant, and its endpoint refuses"},
		{Name: FaultProtectCheck, Summary: "Clerk asks for a protect check where a sign-in would be complete: only a browser can answer"},
		{Name: FaultSSOOnly, Summary: "Clerk's users sign in with Google alone: no code by e-mail, no password"},
		{Name: FaultCodeLimited, Summary: "Clerk sends no code: too many were asked for (429 verification_code_too_many_requests)"},
		{Name: FaultUserBanned, Summary: "Clerk's users are banned: their sessions are gone, and signing in answers user_banned"},
		{Name: FaultTeamForbidden, Summary: "Clerk's users may not manage their organizations: 403 missing_organization_permission"},
		{Name: FaultOrganizationLeft, Summary: "Clerk's users are in no organization any more: calls about one answer 404, and tokens name none"},
		{Name: FaultInvitationQuota, Summary: "Clerk's organizations are full: 403 organization_membership_quota_exceeded"},
		{Name: FaultInvitationsLimited, Summary: "Clerk answers every second invitation with 429: many at once stop halfway"},
		{Name: FaultAPIKeyUnknown, Summary: "Clerk finds no API key (404)"},
		{Name: FaultAPIKeyRevoked, Summary: "Clerk verifies API keys as revoked: 200, revoked true"},
		{Name: FaultAPIKeyExpired, Summary: "Clerk verifies API keys as expired: 200, expired true"},
		{Name: FaultAPIKeyBare, Summary: "Clerk's API keys have neither scopes nor claims, as those that people make for themselves"},
		{Name: FaultSatellite, Summary: "Clerk's Frontend API is that of a satellite domain: sign-ins and OAuth tokens answer 403"},
		{Name: FaultRedirectMismatch, Summary: "Clerk's OAuth application knows no redirect URI: 400 redirect_uri_mismatch in the browser"},
		{Name: FaultOAuthRevoked, Summary: "Clerk knows no OAuth refresh token, and says so with 401, the other of the two statuses that it has for invalid_grant"},
		{Name: FaultOAuthAnswerLost, Summary: "Clerk does what the OAuth token endpoint is asked and cuts the connection before it answers: a refresh token is spent and its successor unknown"},
	}
}

// weather returns the faults that affect all calls.
func (inst *Instance) weather() error {
	switch {
	case inst.fault(FaultUnavailable):
		return errServiceUnavailable()
	case inst.fault(FaultRateLimited):
		return errTooManyRequests("10")
	case inst.fault(FaultHTML):
		return &apiError{status: 502, html: "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"}
	}
	return nil
}

// tokenTime returns the time for the claims of tokens.
func (inst *Instance) tokenTime() time.Time {
	if inst.fault(FaultClockAhead) {
		return inst.now().Add(10 * time.Minute)
	}
	return inst.now()
}

// findTemplate returns a JWT template, or an error that names it.
func (inst *Instance) findTemplate(name string) (*template, error) {
	t := inst.templates[name]
	if t == nil || inst.fault(FaultTemplateMissing) {
		return nil, errTemplateNotFound(name)
	}
	return t, nil
}

// sessionsGone reports whether a fault has ended every session.
func (inst *Instance) sessionsGone() bool {
	return inst.fault(FaultSessionGone) || inst.fault(FaultUserBanned)
}
