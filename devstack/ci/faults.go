package ci

import "github.com/zen-auth/zen/devstack/fault"

// Names of the faults that [Options.Fault] is asked about.
const (
	FaultUnavailable     = "ci-unavailable"
	FaultForbidden       = "ci-forbidden"
	FaultWrongAudience   = "ci-wrong-audience"
	FaultReplayed        = "ci-jti-replayed"
	FaultExpired         = "ci-expired"
	FaultJWKSUnavailable = "ci-jwks-unavailable"
	FaultKeyUnpublished  = "ci-key-unpublished"
	FaultImmutable       = "ci-immutable-subject"
)

// Faults returns the ways in which CI's issuers can be made to fail.
func Faults() []fault.Fault {
	return []fault.Fault{
		{Name: FaultUnavailable, Summary: "CI answers 503 to who asks for a token"},
		{Name: FaultForbidden, Summary: "CI answers 403 to who asks for a token, as where a job lacks the permission id-token: write"},
		{Name: FaultWrongAudience, Summary: "CI's tokens are for another audience than was asked for"},
		{Name: FaultReplayed, Summary: "CI gives the token that it gave before, jti and all: who exchanges each once refuses it"},
		{Name: FaultExpired, Summary: "CI's tokens ended a day ago"},
		{Name: FaultJWKSUnavailable, Summary: "CI's discovery documents and key sets answer 503"},
		{Name: FaultKeyUnpublished, Summary: "CI's key sets lack the key that signs"},
		{Name: FaultImmutable, Summary: "GitHub's sub has the ids of owner and repository in it, as since July 2026: what compares the names alone refuses it"},
	}
}
