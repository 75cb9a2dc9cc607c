package devstack

import (
	"slices"

	"github.com/zen-auth/zen/devstack/auth0"
	"github.com/zen-auth/zen/devstack/ci"
	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/devstack/oidc"
)

// Faults returns all that a stack can be made to do wrong.
func Faults() []fault.Fault {
	return slices.Concat(fault.Known(), clerk.Faults(), auth0.Faults(), oidc.Faults(), ci.Faults())
}
