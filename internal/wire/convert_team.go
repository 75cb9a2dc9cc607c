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
		Id: i.ID, Email: i.Email, Role: i.Role, Status: i.Status, Url: i.URL, Expires: timestamp(i.Expires),
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
		URL: i.GetUrl(), Expires: moment(i.GetExpires()),
	}
}
