package conformance

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// skew is the tolerated difference between two clocks.
const skew = time.Minute

func checkToken(ctx context.Context, s *suite, conn *grpc.ClientConn) (string, error) {
	if _, err := s.token(ctx, conn, 99); reasonOf(err) != "CONFIG" {
		return "", fmt.Errorf("for an unknown access, Token returns %s, not CONFIG", outcome(err))
	}
	var details []string
	var refusal error
	for _, access := range []pb.Access{pb.Access_ACCESS_READ_WRITE, pb.Access_ACCESS_READ_ONLY} {
		token, err := s.token(ctx, conn, access)
		if err != nil {
			refusal = err
			continue
		}
		detail, err := examine(token, access, time.Now())
		if err != nil {
			return "", err
		}
		details = append(details, detail)
	}
	if len(details) == 0 {
		return "", skipped("it returned no token to check: " + outcome(refusal))
	}
	return strings.Join(details, "; "), nil
}

func (s *suite) token(ctx context.Context, conn *grpc.ClientConn, access pb.Access) (*pb.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*callLimit)
	defer cancel()
	reply, err := pb.NewTokenSourceClient(conn).Token(ctx, s.tokenRequest(s.credential, access))
	if err != nil {
		return nil, err
	}
	if f := reply.GetFailure(); f != nil {
		return nil, failed{f}
	}
	return reply.GetToken(), nil
}

// examine checks a token as far as possible without its keys.
func examine(t *pb.Token, access pb.Access, now time.Time) (string, error) {
	value := string(t.GetValue())
	if err := (provider.Token{Value: provider.NewSecret(value)}).ValidateValue(); err != nil {
		return "", err
	}
	if v := t.GetVerification(); v != nil {
		if v.GetIssuer() == "" || v.GetKeySetUrl() == "" || len(v.GetAlgorithms()) == 0 {
			return "", errors.New("its verification has no issuer, no URL of the key set or no algorithms")
		}
		for _, algorithm := range v.GetAlgorithms() {
			if a := strings.ToUpper(algorithm); a == "NONE" || strings.HasPrefix(a, "HS") {
				return "", fmt.Errorf("its verification allows the algorithm %.20q; only asymmetric algorithms are allowed", algorithm)
			}
		}
	}
	expires, err := times(t, now)
	if err != nil {
		return "", err
	}
	claims := payload(value)
	if claims == nil {
		return "opaque, " + life(expires, now), nil
	}
	if claims.Expires != nil {
		exp := time.Unix(int64(*claims.Expires), 0)
		if expires.IsZero() || expires.Sub(exp).Abs() > time.Second {
			return "", fmt.Errorf("its claim exp is %v, but its expiry is %v", exp.UTC(), shown(expires))
		}
	} else if !expires.IsZero() {
		return "", errors.New("it has an expiry, but no claim exp")
	}
	if access == pb.Access_ACCESS_READ_ONLY && claims.Access == "rw" {
		return "", errors.New("read-only access was requested, but its claim a is rw")
	}
	return "a JWT, " + life(expires, now), nil
}

// times checks the times that a token came with. A token without an expiry never expires.
func times(t *pb.Token, now time.Time) (expires time.Time, err error) {
	for name, at := range map[string]*timestamppb.Timestamp{"expiry": t.GetExpires(), "time of issue": t.GetIssued()} {
		if at != nil && (at.CheckValid() != nil || at.GetSeconds() <= 0) {
			return expires, fmt.Errorf("its %s is not a valid time; leave it out if there is none", name)
		}
	}
	if t.GetIssued() != nil && t.GetIssued().AsTime().After(now.Add(skew)) {
		return expires, fmt.Errorf("it was issued in the future, at %v", t.GetIssued().AsTime())
	}
	if t.GetExpires() == nil {
		return expires, nil
	}
	expires = t.GetExpires().AsTime()
	if !expires.After(now) {
		return expires, fmt.Errorf("it expired at %v; return TOKEN_EXPIRED instead", expires)
	}
	return expires, nil
}

// claims are the claims of a JWT that can be compared with its request.
type claims struct {
	Expires *float64 `json:"exp"`
	Access  string   `json:"a"`
}

// payload returns the unverified claims of a JWT, or nil if token is not a JWT.
func payload(token string) *claims {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	var c claims
	if err != nil || json.Unmarshal(data, &c) != nil {
		return nil
	}
	return &c
}

func life(expires, now time.Time) string {
	if expires.IsZero() {
		return "without an expiry"
	}
	return "valid for " + expires.Sub(now).Round(time.Second).String()
}

func shown(t time.Time) string {
	if t.IsZero() {
		return "absent"
	}
	return t.UTC().String()
}
