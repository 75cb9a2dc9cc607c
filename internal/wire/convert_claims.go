package wire

import (
	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

func claimsToWire(c provider.Claims) *pb.Claims {
	return &pb.Claims{
		Algorithm:       c.Algorithm,
		KeyId:           c.KeyID,
		Type:            c.Type,
		Category:        c.Category,
		IdToken:         c.IDToken,
		Issuer:          c.Issuer,
		Subject:         c.Subject,
		Audience:        c.Audience,
		Id:              c.ID,
		AuthorizedParty: c.AuthorizedParty,
		Issued:          timestamp(c.Issued),
		NotBefore:       timestamp(c.NotBefore),
		Expires:         timestamp(c.Expires),
		Session:         c.Session,
		Status:          c.Status,
		Organization:    optional(c.Organization, organizationToWire),
		Actor:           c.Actor,
		Database:        optional(c.Database, databaseToWire),
	}
}

func claimsFromWire(c *pb.Claims) provider.Claims {
	return provider.Claims{
		Algorithm:       c.GetAlgorithm(),
		KeyID:           c.GetKeyId(),
		Type:            c.GetType(),
		Category:        c.GetCategory(),
		IDToken:         c.GetIdToken(),
		Issuer:          c.GetIssuer(),
		Subject:         c.GetSubject(),
		Audience:        c.GetAudience(),
		ID:              c.GetId(),
		AuthorizedParty: c.GetAuthorizedParty(),
		Issued:          moment(c.GetIssued()),
		NotBefore:       moment(c.GetNotBefore()),
		Expires:         moment(c.GetExpires()),
		Session:         c.GetSession(),
		Status:          c.GetStatus(),
		Organization:    present(c.GetOrganization(), organizationFromWire),
		Actor:           c.GetActor(),
		Database:        present(c.GetDatabase(), databaseFromWire),
	}
}

func organizationToWire(o provider.Organization) *pb.Organization {
	return &pb.Organization{Id: o.ID, Slug: o.Slug, Role: o.Role, Permissions: o.Permissions}
}

func organizationFromWire(o *pb.Organization) provider.Organization {
	return provider.Organization{ID: o.GetId(), Slug: o.GetSlug(), Role: o.GetRole(), Permissions: o.GetPermissions()}
}

func databaseToWire(d provider.DatabaseClaims) *pb.DatabaseClaims {
	claims := &pb.DatabaseClaims{
		DatabaseId:  d.DatabaseID,
		GroupId:     d.GroupID,
		Access:      accessToWire(d.Access),
		Permissions: each(d.Permissions, permissionToWire),
		RoleId:      d.RoleID,
	}
	for access, names := range d.Namespaces {
		if claims.Namespaces == nil {
			claims.Namespaces = make(map[string]*pb.NamespaceList, len(d.Namespaces))
		}
		claims.Namespaces[access] = &pb.NamespaceList{Names: names}
	}
	return claims
}

func databaseFromWire(d *pb.DatabaseClaims) provider.DatabaseClaims {
	claims := provider.DatabaseClaims{
		DatabaseID:  d.GetDatabaseId(),
		GroupID:     d.GetGroupId(),
		Access:      accessFromWire(d.GetAccess()),
		Permissions: each(d.GetPermissions(), permissionFromWire),
		RoleID:      d.GetRoleId(),
	}
	for access, list := range d.GetNamespaces() {
		if claims.Namespaces == nil {
			claims.Namespaces = make(map[string][]string, len(d.GetNamespaces()))
		}
		claims.Namespaces[access] = list.GetNames()
	}
	return claims
}

// each converts a list; nil stays nil.
func each[From, To any](list []From, convert func(From) To) []To {
	if list == nil {
		return nil
	}
	converted := make([]To, len(list))
	for i, v := range list {
		converted[i] = convert(v)
	}
	return converted
}

// optional converts to a message, and nil to none.
func optional[From, To any](v *From, convert func(From) *To) *To {
	if v == nil {
		return nil
	}
	return convert(*v)
}

// present converts from a message, and none to nil.
func present[From, To any](m *From, convert func(*From) To) *To {
	if m == nil {
		return nil
	}
	v := convert(m)
	return &v
}
