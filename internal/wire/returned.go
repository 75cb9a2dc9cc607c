package wire

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// Bounds of what a provider returns and the host keeps, in bytes on the wire. That of a
// credential is in package provider.
const (
	maxClaims = 64 << 10
	maxToken  = 32 << 10 // a value of 16 KiB, and how it is verified
)

// returnedCredential checks every credential that a provider returns.
func returnedCredential(c *pb.Credential) (provider.Credential, error) {
	credential := credentialFromWire(c)
	if err := credential.Validate(); err != nil {
		return provider.Credential{}, fmt.Errorf("the provider returned what can't be stored: %w", err)
	}
	return credential, nil
}

func returnedClaims(c *pb.Claims) (provider.Claims, error) {
	if size := proto.Size(c); size > maxClaims {
		return provider.Claims{}, fmt.Errorf("the provider returned what can't be stored: the claims have %d bytes, more than 64 KiB", size)
	}
	return claimsFromWire(c), nil
}

func returnedToken(t *pb.Token) (provider.Token, error) {
	if size := proto.Size(t); size > maxToken {
		return provider.Token{}, fmt.Errorf("the provider returned what can't be stored: the token has %d bytes, more than 32 KiB", size)
	}
	return tokenFromWire(t), nil
}

func returnedSignIn(s *pb.SignIn) (signIn provider.SignIn, err error) {
	if signIn.Credential, err = returnedCredential(s.GetCredential()); err != nil {
		return provider.SignIn{}, err
	}
	if signIn.Claims, err = returnedClaims(s.GetClaims()); err != nil {
		return provider.SignIn{}, err
	}
	if s.GetToken() != nil {
		token, err := returnedToken(s.GetToken())
		if err != nil {
			return provider.SignIn{}, err
		}
		signIn.Token = &token
	}
	return signIn, nil
}
