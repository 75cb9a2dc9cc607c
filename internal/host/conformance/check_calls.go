package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// checkUnknown sends what a later version of the protocol might send: grease, as RFC 8701
// calls it.
func checkUnknown(ctx context.Context, s *suite) (string, error) {
	_, conn, err := s.serving(ctx)
	if err != nil {
		return "", err
	}
	bounded, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	d, err := pb.NewProviderClient(conn).Describe(bounded, greased(&pb.DescribeRequest{}))
	switch {
	case err != nil:
		return "", fmt.Errorf("describe with an unknown field: %w", err)
	case !proto.Equal(d, s.description):
		return "", errors.New("describe answers differently when the request has an unknown field")
	}
	for _, method := range []string{"/zen.provider.v1.Provider/Grease", "/zen.provider.v1.Grease/Grease", "/zen.provider.v2.Provider/Describe"} {
		if err := conn.Invoke(bounded, method, &emptypb.Empty{}, &emptypb.Empty{}); status.Code(err) != codes.Unimplemented {
			return "", fmt.Errorf("the unknown method %s returns %v, not UNIMPLEMENTED", method, status.Code(err))
		}
	}
	settings, missing := s.settings()
	if missing != "" {
		return "checked only before Configure, which needs --setting " + missing + "=...", nil
	}
	plain := s.tryConfigure(ctx, settings)
	_, err = pb.NewProviderClient(conn).Configure(bounded, greased(&pb.ConfigureRequest{Settings: settings}))
	if outcome(err) != outcome(plain) {
		return "", fmt.Errorf("configure with an unknown field returns %s, without it %s", outcome(err), outcome(plain))
	}
	if err != nil {
		return "checked only before Configure, which failed", nil
	}
	for _, p := range s.probes() {
		want := outcome(p.call(ctx, conn, callLimit))
		p.request = greased(p.request)
		if got := outcome(p.call(ctx, conn, callLimit)); got != want {
			return "", fmt.Errorf("%s with an unknown field returns %s, without it %s", p.name(), got, want)
		}
	}
	return "", answers(ctx, conn)
}

func checkUnimplemented(ctx context.Context, s *suite) (string, error) {
	_, conn, err := s.serving(ctx)
	if err != nil {
		return "", err
	}
	var has, lacks []string
	for _, p := range s.allProbes() {
		code := status.Code(p.call(ctx, conn, callLimit))
		switch {
		case s.has(p.service) && code == codes.Unimplemented:
			return "", fmt.Errorf("it lists %s, but %s is UNIMPLEMENTED", p.service, p.name())
		case s.has(p.service):
			has = append(has, p.name())
		case code != codes.Unimplemented:
			return "", fmt.Errorf("it doesn't list %s, but %s returns %v, not UNIMPLEMENTED", p.service, p.name(), code)
		default:
			lacks = append(lacks, p.name())
		}
	}
	return fmt.Sprintf("%d methods are provided, %d are not", len(has), len(lacks)), nil
}

func checkLarge(ctx context.Context, s *suite) (string, error) {
	_, conn, err := s.serving(ctx)
	if err != nil {
		return "", err
	}
	bounded, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	huge := map[string]string{"huge": strings.Repeat("x", 16*maxMessage)}
	_, err = pb.NewProviderClient(conn).Configure(bounded, &pb.ConfigureRequest{Settings: huge})
	switch {
	case err == nil || infoOf(err) != nil:
		return "", errors.New("settings of 16 MiB are accepted")
	case bounded.Err() != nil:
		return "", fmt.Errorf("settings of 16 MiB: no answer within %v", callLimit)
	}
	return "", answers(ctx, conn)
}

func checkConcurrency(ctx context.Context, s *suite) (string, error) {
	p, conn, err := s.configured(ctx)
	if err != nil {
		return "", err
	}
	probes := s.probes()
	want := make([]string, len(probes))
	for i, probe := range probes {
		want[i] = outcome(probe.call(ctx, conn, callLimit))
	}
	const callers = 32
	began := time.Now()
	var calls sync.WaitGroup
	errs := make([]error, callers)
	for n := range callers {
		calls.Go(func() {
			errs[n] = answers(ctx, conn)
			for i, probe := range probes {
				if got := outcome(probe.call(ctx, conn, callLimit)); got != want[i] {
					errs[n] = fmt.Errorf("%s alone returns %s, with %d others %s", probe.name(), want[i], callers-1, got)
				}
			}
		})
	}
	calls.Wait()
	if err := errors.Join(errs...); err != nil {
		return "", firstOf(err)
	}
	return fmt.Sprintf("%d calls in %v", callers*(len(probes)+1), time.Since(began).Round(time.Millisecond)), errUnless(!p.endsWithin(0), "it exited")
}

// firstOf returns the first of joined errors. The others are about the same fault.
func firstOf(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()[0]
	}
	return err
}

// hurry is a deadline that a call exceeds if it waits for anything.
const hurry = 200 * time.Millisecond

func checkDeadline(ctx context.Context, s *suite) (string, error) {
	_, conn, err := s.configured(ctx)
	if err != nil {
		return "", err
	}
	s.trap.hang(true) // the network doesn't answer
	late := 0
	for _, p := range s.probes() {
		if status.Code(p.call(ctx, conn, hurry)) == codes.DeadlineExceeded {
			late++
		}
		if err := answers(ctx, conn); err != nil {
			return "", fmt.Errorf("after %s exceeded its deadline: %w", p.name(), err)
		}
	}
	s.trap.hang(false)
	for _, p := range s.probes() {
		if err := p.call(ctx, conn, callLimit); status.Code(err) == codes.DeadlineExceeded && reasonOf(err) == "" {
			return "", fmt.Errorf("%s no longer answers after a call that exceeded its deadline", p.name())
		}
	}
	return fmt.Sprintf("%d of %d calls exceeded their deadline", late, len(s.probes())), nil
}

// openLogin starts a login.
func openLogin(ctx context.Context, conn *grpc.ClientConn, begin *pb.LoginBegin) (pb.Identity_LoginClient, error) {
	stream, err := pb.NewIdentityClient(conn).Login(ctx)
	if err != nil {
		return nil, err
	}
	// Recv returns the error, if there is one.
	_ = stream.Send(&pb.LoginRequest{Message: &pb.LoginRequest_Begin{Begin: begin}})
	return stream, nil
}
