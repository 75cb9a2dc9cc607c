package wire

import (
	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

func kindToWire(k provider.AssertionKind) string { return string(k) }

func kindFromWire(s string) provider.AssertionKind { return provider.AssertionKind(receivedText(s)) }

func needToWire(n provider.AssertionNeed) *pb.AssertionNeed {
	return &pb.AssertionNeed{
		Kinds: each(n.Kinds, kindToWire), Audience: n.Audience, AudienceField: n.AudienceField,
	}
}

func needFromWire(n *pb.AssertionNeed) provider.AssertionNeed {
	return provider.AssertionNeed{
		Kinds: each(n.GetKinds(), kindFromWire), Audience: n.GetAudience(), AudienceField: receivedText(n.GetAudienceField()),
	}
}

func assertionToWire(a provider.Assertion) *pb.Statement {
	return &pb.Statement{Kind: kindToWire(a.Kind), Value: []byte(a.Value.Reveal()), Expires: timestamp(a.Expires)}
}

func assertionFromWire(s *pb.Statement) provider.Assertion {
	return provider.Assertion{
		Kind: kindFromWire(s.GetKind()), Value: provider.NewSecret(string(s.GetValue())), Expires: moment(s.GetExpires()),
	}
}

func assertionRequestToWire(r provider.AssertionRequest) *pb.AssertRequest {
	return &pb.AssertRequest{
		Credential: credentialToWire(r.Credential), Audience: r.Audience, Kinds: each(r.Kinds, kindToWire),
	}
}

func assertionRequestFromWire(r *pb.AssertRequest) provider.AssertionRequest {
	return provider.AssertionRequest{
		Credential: credentialFromWire(r.GetCredential()), Audience: r.GetAudience(), Kinds: each(r.GetKinds(), kindFromWire),
	}
}
