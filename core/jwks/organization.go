package jwks

import (
	"cmp"
	"math/big"
	"strings"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/jsonobject"
)

// readOrganization reads the active organization: nested under o in Clerk's session
// tokens since version 2, flat in version 1, in JWT templates and at Auth0 (which
// says org_name for the slug).
func readOrganization(m jsonobject.Object) *provider.Organization {
	if version, _ := m.Number("v"); version >= 2 {
		if o := m.Object("o"); o != nil {
			return readCompactOrganization(o, m.Text("fea"))
		}
	}
	o := provider.Organization{
		ID:          m.Text("org_id"),
		Slug:        cmp.Or(m.Text("org_slug"), m.Text("org_name")),
		Role:        m.Text("org_role"),
		Permissions: texts(m.Value("org_permissions")),
	}
	if o.ID == "" {
		return nil
	}
	return &o
}

// readCompactOrganization spells version 2 out as version 1 did, the way
// jwtPayloadParser.ts of clerk/javascript does: roles and permissions get back
// their org: prefix.
func readCompactOrganization(o jsonobject.Object, features string) *provider.Organization {
	org := &provider.Organization{ID: o.Text("id"), Slug: o.Text("slg")}
	if role := o.Text("rol"); role != "" {
		org.Role = "org:" + strings.TrimPrefix(role, "org:")
	}
	names, masks := split(o.Text("per")), split(o.Text("fpm"))
	for i, feature := range organizationFeatures(features) {
		if i >= len(masks) {
			break
		}
		// One bit a permission, the lowest for the first; more permissions than 64
		// are allowed, so the mask is a decimal of any length.
		mask, ok := new(big.Int).SetString(masks[i], 10)
		if !ok || mask.Sign() < 0 {
			continue
		}
		for bit, name := range names {
			if mask.Bit(bit) == 1 {
				org.Permissions = append(org.Permissions, "org:"+feature+":"+name)
			}
		}
	}
	return org
}

// organizationFeatures picks the features of the organization out of fea, where
// each is marked as the organization's (o), the user's (u) or both.
func organizationFeatures(fea string) []string {
	var features []string
	for _, element := range split(fea) {
		scope, name, ok := strings.Cut(element, ":")
		if ok && strings.Contains(scope, "o") {
			features = append(features, name)
		}
	}
	return features
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	elements := strings.Split(list, ",")
	for i, e := range elements {
		elements[i] = strings.TrimSpace(e)
	}
	return elements
}

// texts returns the strings of a list.
func texts(value any) []string {
	list, _ := value.([]any)
	var all []string
	for _, element := range list {
		if s, ok := element.(string); ok {
			all = append(all, s)
		}
	}
	return all
}
