package wire

import (
	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/core/provider/wire/zen/provider/v1"
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
		Id: i.ID, Email: i.Email, Role: i.Role, Status: i.Status, Url: i.URL, Expires: timestamp(i.Expires),
	}
}

func memberFromWire(m *pb.Member, text func(string) string) provider.Member {
	return provider.Member{
		ID: text(m.GetId()), Email: text(m.GetEmail()), Name: text(m.GetName()), Role: text(m.GetRole()),
		Since: moment(m.GetSince()),
	}
}

// invitationFromWire leaves the URL as it is: redaction would take its ticket.
func invitationFromWire(i *pb.Invitation, text func(string) string) provider.Invitation {
	return provider.Invitation{
		ID: text(i.GetId()), Email: text(i.GetEmail()), Role: text(i.GetRole()), Status: text(i.GetStatus()),
		URL: i.GetUrl(), Expires: moment(i.GetExpires()),
	}
}
