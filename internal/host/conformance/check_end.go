package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/zen-auth/zen/core/provider"
)

func checkStop(ctx context.Context, s *suite) (string, error) {
	p, conn, err := s.serving(ctx)
	if err != nil {
		return "", err
	}
	took, err := shutDown(ctx, p, conn)
	if err != nil {
		return "", err
	}
	detail := fmt.Sprintf("%v", took.Round(time.Millisecond))
	if !s.has(provider.ServiceIdentity) {
		return detail, nil
	}
	p, conn, err = s.configured(ctx)
	if errors.As(err, new(skipped)) {
		return detail, nil
	}
	if err != nil {
		return "", err
	}
	stream, err := openLogin(ctx, conn, s.begin(true))
	if err != nil {
		return "", fmt.Errorf("login: %w", err)
	}
	// The first request shows that the login has begun; so does an error.
	_, _ = stream.Recv()
	took, err = shutDown(ctx, p, conn)
	if err != nil {
		return "", fmt.Errorf("during a login: %w", err)
	}
	return fmt.Sprintf("%s; during a login %v", detail, took.Round(time.Millisecond)), nil
}

// shutDown asks the provider to exit, and waits as long as a host does.
func shutDown(ctx context.Context, p *process, conn *grpc.ClientConn) (time.Duration, error) {
	began := time.Now()
	bounded, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	// The connection may break before the answer arrives, so other errors don't matter.
	err := conn.Invoke(bounded, "/plugin.GRPCController/Shutdown", &emptypb.Empty{}, &emptypb.Empty{})
	if status.Code(err) == codes.Unimplemented {
		return 0, errors.New("it doesn't provide plugin.GRPCController/Shutdown")
	}
	if !p.endsWithin(stopLimit - time.Since(began)) {
		return 0, fmt.Errorf("it is still running after %v", stopLimit)
	}
	took := time.Since(began)
	// The last processes of the group may just be ending.
	if !p.groupEndsWithin(drain) {
		return 0, errors.New("processes that it started are still running")
	}
	return took, nil
}

// drain is how much longer the processes that a provider started may run.
const drain = 200 * time.Millisecond

// parentLimit is how long a provider may run after its parent has died.
const parentLimit = 2 * time.Second
