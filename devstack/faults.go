package devstack

import (
	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/fault"
)

// Faults are all that a stack can be made to do wrong.
func Faults() []fault.Fault {
	return append(fault.Known(),
		fault.Fault{Name: clerk.FaultUnavailable, Summary: "Clerk answers every call with 503"},
		fault.Fault{Name: clerk.FaultRateLimited, Summary: "Clerk answers every call with 429 and a Retry-After"},
		fault.Fault{Name: clerk.FaultJWKSUnavailable, Summary: "Clerk's key sets alone answer 503: known keys go on, new ones are not found"},
		fault.Fault{Name: clerk.FaultNativeDisabled, Summary: "Clerk refuses native clients, as with the Native API switched off in the dashboard"},
	)
}
