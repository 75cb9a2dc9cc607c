package wire

import (
	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

func teamToWire(r provider.TeamRequest) *pb.TeamContext {
	return &pb.TeamContext{Credential: credentialToWire(r.Credential), Organization: r.Organization}
}

func teamFromWire(c *pb.TeamContext) provider.TeamRequest {
	return provider.TeamRequest{
		Credential: credentialFromWire(c.GetCredential()), Organization: c.GetOrganization(),
	}
}

func memberToWire(m provider.Member) *pb.Member {
	return &pb.Member{Id: m.ID, Email: m.Email, Name: sentText(m.Name), Role: m.Role, Since: timestamp(m.Since)}
}

func invitationToWire(i provider.Invitation) *pb.Invitation {
	return &pb.Invitation{
		Id: i.ID, Email: i.Email, Role: i.Role, Status: i.Status, Url: []byte(i.URL.Reveal()), Expires: timestamp(i.Expires),
	}
}

func memberFromWire(m *pb.Member) provider.Member {
	return provider.Member{
		ID: receivedText(m.GetId()), Email: receivedText(m.GetEmail()), Name: receivedText(m.GetName()), Role: receivedText(m.GetRole()),
		Since: moment(m.GetSince()),
	}
}

func invitationFromWire(i *pb.Invitation) provider.Invitation {
	return provider.Invitation{
		ID: receivedText(i.GetId()), Email: receivedText(i.GetEmail()), Role: receivedText(i.GetRole()), Status: receivedText(i.GetStatus()),
		URL: provider.NewSecret(string(i.GetUrl())), Expires: moment(i.GetExpires()),
	}
}

func inviteToWire(r provider.TeamRequest, i provider.Invite) *pb.InviteRequest {
	return &pb.InviteRequest{
		Context: teamToWire(r), Email: i.Email, Role: i.Role, RedirectUrl: i.RedirectURL, Lifetime: duration(i.Lifetime),
	}
}

func inviteFromWire(r *pb.InviteRequest) provider.Invite {
	return provider.Invite{
		Email: r.GetEmail(), Role: r.GetRole(), RedirectURL: r.GetRedirectUrl(), Lifetime: span(r.GetLifetime()),
	}
}

func membershipToWire(m provider.Membership) *pb.Membership {
	return &pb.Membership{Organization: organizationToWire(m.Organization), Name: sentText(m.Name), Active: m.Active}
}

func membershipFromWire(m *pb.Membership) provider.Membership {
	o := m.GetOrganization()
	return provider.Membership{
		Organization: provider.Organization{
			ID: receivedText(o.GetId()), Slug: receivedText(o.GetSlug()), Role: receivedText(o.GetRole()),
			Permissions: each(o.GetPermissions(), receivedText),
		},
		Name: receivedText(m.GetName()), Active: m.GetActive(),
	}
}
