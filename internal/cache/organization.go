package cache

import (
	"cmp"
	"fmt"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/names"
	"github.com/zen-auth/zen/internal/store"
)

// CheckOrganization refuses tokens of a sign-in that is not for the organization that the
// profile is held to. A fallback's tokens are by no sign-in of the profile's own.
func (p *Profile) CheckOrganization(record store.Record, by Issuer) error {
	if by.Fallback {
		return nil
	}
	return p.CheckMembership(record.Accounts[by.Identity].Claims.Organization)
}

// CheckMembership refuses the organization of a sign-in, nil if it is for none, that is
// not the one that the profile is held to.
func (p *Profile) CheckMembership(o *provider.Organization) error {
	is := "none"
	switch {
	case p.Organization == "", o != nil && (p.Organization == o.ID || p.Organization == o.Slug):
		return nil
	case o != nil:
		is = cmp.Or(o.Slug, o.ID)
	}
	return &provider.Error{
		Kind:    provider.ErrPermission,
		Message: fmt.Sprintf("profile %q is for the organization %s, and the sign-in is for %.128s", p.Name, p.Organization, is),
		Hint:    names.LoginCommand(p.Name) + " signs in to it; zen profiles add NAME --org ORG makes a profile for another one",
	}
}

// CheckHeld refuses to leave the organization that the profile is held to; "" means to stay.
func (p *Profile) CheckHeld(organization string) error {
	if p.Organization == "" || organization == "" || organization == p.Organization {
		return nil
	}
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("profile %q is for the organization %s, not for %.128s", p.Name, p.Organization, organization),
		Hint:    fmt.Sprintf("zen profiles add NAME --org %.128s makes a profile for that one", organization),
	}
}
