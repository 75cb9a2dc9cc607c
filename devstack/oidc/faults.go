package oidc

import "github.com/zen-auth/zen/devstack/fault"

// Names of the faults that [Options.Fault] is asked about.
const (
	FaultUnavailable     = "oidc-unavailable"
	FaultIssuerMismatch  = "oidc-issuer-mismatch"
	FaultJWKSUnavailable = "oidc-jwks-unavailable"
	FaultKeyUnpublished  = "oidc-key-unpublished"
	FaultDeviceOff       = "oidc-device-off"
	FaultNoRefreshToken  = "oidc-no-refresh-token"
	FaultRefreshRevoked  = "oidc-refresh-revoked"
	FaultWrongNonce      = "oidc-wrong-nonce"
	FaultWrongAudience   = "oidc-wrong-audience"
	FaultExpired         = "oidc-expired"
	FaultUnverifiedEmail = "oidc-email-unverified"
	FaultRedirect        = "oidc-redirect"
	FaultHuge            = "oidc-huge-answer"
	FaultSlowDown        = "oidc-slow-down"
)

// Faults returns the ways in which an issuer can be made to fail.
func Faults() []fault.Fault {
	return []fault.Fault{
		{Name: FaultUnavailable, Summary: "The OpenID issuer answers every call with 503"},
		{Name: FaultIssuerMismatch, Summary: "The OpenID issuer's discovery document names another issuer: a slash more at the end"},
		{Name: FaultJWKSUnavailable, Summary: "The OpenID issuer's key set answers 503; everything else works"},
		{Name: FaultKeyUnpublished, Summary: "The OpenID issuer's key set lacks the key that signs"},
		{Name: FaultDeviceOff, Summary: "The OpenID issuer has no device grant: its metadata don't name it, its endpoint refuses"},
		{Name: FaultNoRefreshToken, Summary: "The OpenID issuer gives no refresh token"},
		{Name: FaultRefreshRevoked, Summary: "The OpenID issuer knows no refresh token, as after an administrator ended the session"},
		{Name: FaultWrongNonce, Summary: "The OpenID issuer's id_tokens have the nonce of another request"},
		{Name: FaultWrongAudience, Summary: "The OpenID issuer's id_tokens are for another client"},
		{Name: FaultExpired, Summary: "The OpenID issuer's id_tokens ended a day ago"},
		{Name: FaultUnverifiedEmail, Summary: "The OpenID issuer's people have e-mail addresses that nobody verified"},
		{Name: FaultRedirect, Summary: "The OpenID issuer's token endpoint redirects to another host (307): who follows sends the secret along"},
		{Name: FaultHuge, Summary: "The OpenID issuer's answers are of 16 MiB"},
		{Name: FaultSlowDown, Summary: "The OpenID issuer tells every poll for a device's tokens to slow down"},
	}
}
