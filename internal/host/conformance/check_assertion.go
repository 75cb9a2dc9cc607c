package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
	"google.golang.org/grpc"
)

func checkAssertion(ctx context.Context, s *suite, conn *grpc.ClientConn) (string, error) {
	credential := cmp.Or(s.credential, &pb.Credential{Data: []byte(plantedCredential)})
	ask := func(kinds ...string) (*pb.Statement, error) {
		ctx, cancel := context.WithTimeout(ctx, 3*callLimit)
		defer cancel()
		reply, err := pb.NewAssertionClient(conn).Assert(ctx, &pb.AssertRequest{Credential: credential, Audience: plantedAudience, Kinds: kinds})
		if err == nil && reply.GetFailure() != nil {
			err = failed{reply.GetFailure()}
		}
		return reply.GetStatement(), err
	}
	if _, err := ask("zen-test-no-such-kind"); err == nil {
		return "", errors.New("it returns an assertion for a kind that doesn't exist")
	}
	statement, err := ask(s.description.GetAssertions()...)
	if err != nil {
		return "", skipped("it returned no assertion to check: " + outcome(err))
	}
	return examineAssertion(statement, s.description.GetAssertions(), time.Now())
}

// examineAssertion checks an assertion as far as possible without its keys.
func examineAssertion(a *pb.Statement, kinds []string, now time.Time) (string, error) {
	switch {
	case len(a.GetValue()) == 0:
		return "", errors.New("it is empty")
	case !slices.Contains(kinds, a.GetKind()):
		return "", fmt.Errorf("its kind is %.40q, which was not requested", a.GetKind())
	case a.GetExpires() != nil && !a.GetExpires().AsTime().After(now):
		return "", fmt.Errorf("it expired at %v", a.GetExpires().AsTime())
	case a.GetKind() != string(provider.AssertionJWT):
		return a.GetKind(), nil
	}
	claims, err := jwks.DecodeUnverified(provider.NewSecret(string(a.GetValue())))
	switch {
	case err != nil:
		return "", errors.New("it is not a JWT")
	case !slices.Contains(claims.Audience, plantedAudience):
		return "", fmt.Errorf("it is not for the audience %s", plantedAudience)
	case claims.Subject == "":
		return "", errors.New("it has no subject (sub)")
	}
	return "a JWT", nil
}
