package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// unknownFix is the id of a repair that is not offered.
const unknownFix = "zen-test-no-such-fix"

func checkFindings(ctx context.Context, s *suite) (string, error) {
	_, conn, err := s.configured(ctx)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 6*callLimit)
	defer cancel()
	stream, err := pb.NewProviderClient(conn).Check(ctx, &pb.CheckRequest{Credential: s.credential, Purpose: s.purpose()})
	if err != nil {
		return "", err
	}
	var offered []*pb.Fix
	n := 0
	for ; ; n++ {
		reply, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", fmt.Errorf("after %d findings: %s", n, outcome(err))
		}
		if reply.GetFinding() == nil {
			n-- // a replaced credential
			continue
		}
		if err := findingFault(reply.GetFinding()); err != nil {
			return "", fmt.Errorf("the finding %.40q: %w", reply.GetFinding().GetId(), err)
		}
		if fix := reply.GetFinding().GetFix(); fix != nil {
			offered = append(offered, fix)
		}
	}
	if err := repairs(ctx, conn, offered); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d findings, %d repairs offered", n, len(offered)), answers(ctx, conn)
}

// findingFault returns what is wrong with a finding.
func findingFault(f *pb.Finding) error {
	_, known := reasons[f.GetReason()]
	good := f.GetSeverity() == pb.Severity_SEVERITY_OK || f.GetSeverity() == pb.Severity_SEVERITY_SKIPPED
	switch {
	case !namePattern().MatchString(f.GetId()):
		return errors.New("its id must consist of lower-case letters, digits and dashes")
	case f.GetSeverity() == pb.Severity_SEVERITY_UNSPECIFIED:
		return errors.New("it has no severity")
	case f.GetText() == "":
		return errors.New("it doesn't say what was observed")
	case !isLine(f.GetText()) || !isLine(f.GetCause()) || !isLine(f.GetHint()):
		return errors.New("one of its texts is not a single line of at most 1 KiB")
	case f.GetReason() != "" && !known:
		return fmt.Errorf("its reason %.40q is not one that the protocol defines", f.GetReason())
	case f.GetReason() != "" && good:
		return errors.New("it has a reason, although nothing failed")
	}
	if fix := f.GetFix(); fix != nil {
		return fixFault(fix)
	}
	return nil
}

func fixFault(fix *pb.Fix) error {
	switch {
	case !namePattern().MatchString(fix.GetId()):
		return fmt.Errorf("the id of its repair, %.40q, must consist of lower-case letters, digits and dashes", fix.GetId())
	case fix.GetText() == "" || !isLine(fix.GetText()):
		return errors.New("its repair has no text that says in one line what it does")
	}
	seen := make(map[string]bool)
	for _, q := range fix.GetQuestions() {
		switch {
		case !keyPattern().MatchString(q.GetKey()) || seen[q.GetKey()]:
			return fmt.Errorf("its repair has the question %.40q twice, or its key doesn't consist of lower-case letters, digits and _", q.GetKey())
		case q.GetText() == "" || !isLine(q.GetText()):
			return fmt.Errorf("the question %s of its repair is not one line", q.GetKey())
		case slices.ContainsFunc(q.GetEnv(), func(name string) bool { return !variablePattern().MatchString(name) }):
			return fmt.Errorf("the question %s of its repair names an invalid variable", q.GetKey())
		}
		seen[q.GetKey()] = true
	}
	return nil
}

// repairs requests repairs that the provider must refuse: one that was not offered, and
// the offered ones without the answers that they need. It doesn't request an offered
// repair that needs no answers.
func repairs(ctx context.Context, conn *grpc.ClientConn, offered []*pb.Fix) error {
	fix := func(id string) error {
		stream, err := pb.NewProviderClient(conn).Fix(ctx, &pb.FixRequest{Id: id})
		for err == nil {
			var reply *pb.FixResponse
			if reply, err = stream.Recv(); err == nil && reply.GetFailure() != nil {
				return failed{reply.GetFailure()}
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
	err := fix(unknownFix)
	switch {
	case err == nil:
		return errors.New("it makes a repair that was not offered")
	case status.Code(err) == codes.Unimplemented && len(offered) > 0:
		return fmt.Errorf("the repair %s is offered, but Fix is UNIMPLEMENTED", offered[0].GetId())
	case status.Code(err) != codes.Unimplemented && reasonOf(err) != "CONFIG":
		return fmt.Errorf("for a repair that was not offered, Fix returns %s, not CONFIG", outcome(err))
	}
	for _, f := range offered {
		if len(f.GetQuestions()) > 0 && fix(f.GetId()) == nil {
			return fmt.Errorf("it makes the repair %s without an answer to its questions", f.GetId())
		}
	}
	return nil
}
