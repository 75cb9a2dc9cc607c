package wire

import (
	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

func databaseInfoToWire(d provider.Database) *pb.Database {
	return &pb.Database{
		Name: d.Name, Target: targetToWire(d.Target), Organization: d.Organization, Group: d.Group, Region: d.Region,
		BlockedReads: d.BlockedReads, BlockedWrites: d.BlockedWrites,
	}
}

func databaseInfoFromWire(d *pb.Database) provider.Database {
	return provider.Database{
		Name:         receivedText(d.GetName()),
		Target:       provider.Target{URL: receivedText(d.GetTarget().GetUrl()), DatabaseID: receivedText(d.GetTarget().GetDatabaseId())},
		Organization: receivedText(d.GetOrganization()), Group: receivedText(d.GetGroup()), Region: receivedText(d.GetRegion()),
		BlockedReads: d.GetBlockedReads(), BlockedWrites: d.GetBlockedWrites(),
	}
}

func lookupFromWire(credential *pb.Credential, organization, name string) provider.LookupRequest {
	return provider.LookupRequest{
		Credential: present(credential, credentialFromWire), Organization: organization, Name: name,
	}
}
