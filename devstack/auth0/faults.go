package auth0

import "github.com/zen-auth/zen/devstack/fault"

// Names of the faults that [Options.Fault] is asked about.
const (
	FaultUnavailable      = "auth0-unavailable"
	FaultRateLimited      = "auth0-rate-limited"
	FaultJWKSUnavailable  = "auth0-jwks-unavailable"
	FaultKeyUnpublished   = "auth0-key-unpublished"
	FaultCallbackMismatch = "auth0-callback-mismatch"
	FaultActionMissing    = "auth0-action-missing"
	FaultOpaqueToken      = "auth0-opaque-token"
	FaultWrongIssuer      = "auth0-wrong-issuer"
	FaultNoRefreshToken   = "auth0-no-refresh-token"
	FaultAnswerLost       = "auth0-answer-lost"
	FaultSlowDown         = "auth0-slow-down"
	FaultRefreshRevoked   = "auth0-refresh-revoked"
	FaultClockAhead       = "auth0-clock-ahead"
	FaultOrganizationLost = "auth0-organization-lost"

	FaultMachineActionMissing = "auth0-machine-action-missing"
	FaultGrantMissing         = "auth0-client-grant-missing"
	FaultSecretWrong          = "auth0-secret-wrong"
	FaultAssertionReplayed    = "auth0-assertion-replayed"
	FaultRefreshReused        = "auth0-refresh-reused"
	FaultWrongAudience        = "auth0-wrong-audience"
	FaultOtherDialect         = "auth0-other-dialect"
	FaultSenderConstrained    = "auth0-sender-constrained"
	FaultSymmetric            = "auth0-hs256"
	FaultDeviceOff            = "auth0-device-off"
)

// Faults returns the ways in which a tenant can be made to fail.
func Faults() []fault.Fault {
	return []fault.Fault{
		{Name: FaultUnavailable, Summary: "Auth0 answers every call with 503"},
		{Name: FaultRateLimited, Summary: "Auth0 answers every API call with 429, Retry-After and x-ratelimit headers"},
		{Name: FaultJWKSUnavailable, Summary: "Auth0's key set answers 503; everything else works"},
		{Name: FaultKeyUnpublished, Summary: "Auth0's key set lacks the key that signs"},
		{Name: FaultCallbackMismatch, Summary: "Auth0 knows no callback URL: the browser shows an error page and the terminal waits for nothing"},
		{Name: FaultActionMissing, Summary: "Auth0 runs no Action: access tokens have no database claims, which Turso reads as full access"},
		{Name: FaultOpaqueToken, Summary: "Auth0 ignores the audience: access tokens are opaque"},
		{Name: FaultWrongIssuer, Summary: "Auth0's tokens name another domain of the tenant as their issuer"},
		{Name: FaultNoRefreshToken, Summary: "Auth0 gives no refresh token, as when the API does not allow offline access"},
		{Name: FaultAnswerLost, Summary: "Auth0 does what the token endpoint is asked and cuts the connection before it answers: a refresh token is spent and its successor unknown"},
		{Name: FaultSlowDown, Summary: "Auth0 tells every poll for a device's tokens to slow down (429)"},
		{Name: FaultRefreshRevoked, Summary: "Auth0 knows no refresh token, as after they were revoked in the dashboard"},
		{Name: FaultClockAhead, Summary: "Auth0's clock is ten minutes ahead: its tokens come from the future"},
		{Name: FaultMachineActionMissing, Summary: "Auth0 runs no credentials-exchange Action: machines' tokens have no database claims, which Turso reads as full access"},
		{Name: FaultGrantMissing, Summary: "Auth0 has no client grant: no machine may call the API (403 access_denied)"},
		{Name: FaultSecretWrong, Summary: "Auth0 takes no client secret and no client assertion, as after a secret was rotated (401)"},
		{Name: FaultAssertionReplayed, Summary: "Auth0 has seen every client assertion before: jti was used (401 invalid_client)"},
		{Name: FaultRefreshReused, Summary: "Auth0 takes the refresh token for a used one and revokes its family: only a new sign-in helps"},
		{Name: FaultWrongAudience, Summary: "Auth0's access tokens are for another API"},
		{Name: FaultOtherDialect, Summary: "Auth0's API has the other token dialect: at+jwt where it was JWT"},
		{Name: FaultSenderConstrained, Summary: "Auth0's API demands proof of possession: access tokens have a cnf, which Turso can't honour"},
		{Name: FaultSymmetric, Summary: "Auth0's API signs with its own secret (HS256): no key set verifies its tokens"},
		{Name: FaultDeviceOff, Summary: "Auth0's applications lack the device code grant (403 unauthorized_client)"},
		{Name: FaultOrganizationLost, Summary: "Auth0's tokens lack org_id although an organization was asked for"},
	}
}
