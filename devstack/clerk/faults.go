package clerk

import "github.com/zen-auth/zen/devstack/fault"

// Names of the faults that [Options.Fault] is asked about.
const (
	FaultUnavailable     = "clerk-unavailable"
	FaultRateLimited     = "clerk-rate-limited"
	FaultJWKSUnavailable = "clerk-jwks-unavailable"
	FaultNativeDisabled  = "clerk-native-disabled"
	FaultDeviceGrantOff  = "clerk-device-grant-off"
	FaultOAuthAnswerLost = "clerk-oauth-answer-lost"
)

// Faults are the ways in which an instance can be made to fail.
func Faults() []fault.Fault {
	return []fault.Fault{
		{Name: FaultUnavailable, Summary: "Clerk answers every call with 503"},
		{Name: FaultRateLimited, Summary: "Clerk answers every call with 429 and Retry-After"},
		{Name: FaultJWKSUnavailable, Summary: "Clerk's key sets answer 503; everything else works"},
		{Name: FaultNativeDisabled, Summary: "Clerk answers native clients with native_api_disabled, as when the dashboard's switch is off"},
		{Name: FaultDeviceGrantOff, Summary: "Clerk's metadata lacks the device grant, and its endpoint refuses"},
		{Name: FaultOAuthAnswerLost, Summary: "Clerk does what the OAuth token endpoint is asked and cuts the connection before it answers: a refresh token is spent and its successor unknown"},
	}
}
