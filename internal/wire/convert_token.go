package wire

import (
	"fmt"

	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

func credentialToWire(c provider.Credential) *pb.Credential {
	return &pb.Credential{
		Data:    []byte(c.Data.Reveal()),
		Subject: sentText(c.Subject),
		Detail:  sentText(c.Detail),
		Issued:  timestamp(c.Issued),
		Expires: timestamp(c.Expires),
	}
}

func credentialFromWire(c *pb.Credential) provider.Credential {
	return provider.Credential{
		Data:    provider.NewSecret(string(c.GetData())),
		Subject: receivedText(c.GetSubject()),
		Detail:  receivedText(c.GetDetail()),
		Issued:  moment(c.GetIssued()),
		Expires: moment(c.GetExpires()),
	}
}

func tokenToWire(t provider.Token) *pb.Token {
	return &pb.Token{
		Value:        []byte(t.Value.Reveal()),
		Issued:       timestamp(t.Issued),
		Expires:      timestamp(t.Expires),
		Verification: optional(t.Verification, verificationToWire),
	}
}

func tokenFromWire(t *pb.Token) provider.Token {
	return provider.Token{
		Value:        provider.NewSecret(string(t.GetValue())),
		Issued:       moment(t.GetIssued()),
		Expires:      moment(t.GetExpires()),
		Verification: present(t.GetVerification(), verificationFromWire),
	}
}

func verificationToWire(v provider.Verification) *pb.Verification {
	return &pb.Verification{Issuer: v.Issuer, KeySetUrl: v.KeySetURL, Algorithms: v.Algorithms}
}

func verificationFromWire(v *pb.Verification) provider.Verification {
	return provider.Verification{Issuer: v.GetIssuer(), KeySetURL: v.GetKeySetUrl(), Algorithms: v.GetAlgorithms()}
}

func tokenRequestToWire(r provider.TokenRequest) *pb.TokenRequest {
	return &pb.TokenRequest{
		Credential:  optional(r.Credential, credentialToWire),
		Claims:      optional(r.Claims, claimsToWire),
		Target:      targetToWire(r.Target),
		Access:      accessToWire(r.Access),
		Permissions: each(r.Permissions, permissionToWire),
		Lifetime:    duration(r.Lifetime),
		Assertion:   optional(r.Assertion, assertionToWire),
	}
}

func tokenRequestFromWire(r *pb.TokenRequest) (provider.TokenRequest, error) {
	access, err := requestedAccess(r.GetAccess())
	if err != nil {
		return provider.TokenRequest{}, err
	}
	return provider.TokenRequest{
		Credential:  present(r.GetCredential(), credentialFromWire),
		Claims:      present(r.GetClaims(), claimsFromWire),
		Target:      targetFromWire(r.GetTarget()),
		Access:      access,
		Permissions: each(r.GetPermissions(), permissionFromWire),
		Lifetime:    span(r.GetLifetime()),
		Assertion:   present(r.GetAssertion(), assertionFromWire),
	}, nil
}

func targetToWire(t provider.Target) *pb.Target {
	return &pb.Target{Url: t.URL, DatabaseId: t.DatabaseID}
}

func targetFromWire(t *pb.Target) provider.Target {
	return provider.Target{URL: t.GetUrl(), DatabaseID: t.GetDatabaseId()}
}

func permissionToWire(p provider.Permission) *pb.Permission {
	actions := each(p.Actions, func(a provider.Action) string { return string(a) })
	return &pb.Permission{AllTables: p.Tables == nil, Tables: p.Tables, Actions: actions}
}

// permissionFromWire keeps Tables from nil, which is every table, unless the
// other side said so.
func permissionFromWire(p *pb.Permission) provider.Permission {
	actions := each(p.GetActions(), func(a string) provider.Action { return provider.Action(a) })
	permission := provider.Permission{Tables: p.GetTables(), Actions: actions}
	if permission.Tables == nil && !p.GetAllTables() {
		permission.Tables = []string{}
	}
	return permission
}

func accessToWire(a provider.Access) pb.Access {
	switch a {
	case "":
		return pb.Access_ACCESS_UNSPECIFIED
	case provider.AccessReadWrite:
		return pb.Access_ACCESS_READ_WRITE
	case provider.AccessReadOnly:
		return pb.Access_ACCESS_READ_ONLY
	}
	return -1 // no value of the contract: refused as a request
}

// accessFromWire is for what a token says. A value that is unknown here is kept
// apart from those that are.
func accessFromWire(a pb.Access) provider.Access {
	switch a {
	case pb.Access_ACCESS_UNSPECIFIED:
		return ""
	case pb.Access_ACCESS_READ_WRITE:
		return provider.AccessReadWrite
	case pb.Access_ACCESS_READ_ONLY:
		return provider.AccessReadOnly
	}
	return provider.Access(fmt.Sprintf("unknown(%d)", a))
}

// requestedAccess is for what a token may do: an unknown value is refused, since
// it may mean less than any known one.
func requestedAccess(a pb.Access) (provider.Access, error) {
	access := accessFromWire(a)
	switch access {
	case "", provider.AccessReadWrite, provider.AccessReadOnly:
		return access, nil
	}
	return "", &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("access %d is unknown to this provider", a),
		Hint:    "use a newer version of the provider",
	}
}
