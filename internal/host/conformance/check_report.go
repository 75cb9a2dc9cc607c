package conformance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// reasons maps the protocol's reasons for an error to their status codes.
var reasons = map[string]codes.Code{
	"NO_CREDENTIAL": codes.Unauthenticated, "TOKEN_EXPIRED": codes.Unauthenticated,
	"TOKEN_INVALID": codes.Unauthenticated, "REJECTED": codes.Unauthenticated,
	"PERMISSION": codes.PermissionDenied, "UNAVAILABLE": codes.Unavailable,
	"CONFIG": codes.FailedPrecondition, "NO_PROVIDER": codes.NotFound,
	"UNSUPPORTED": codes.Unimplemented, "CANCELED": codes.Canceled,
	"DEADLINE_EXCEEDED": codes.DeadlineExceeded, "OTHER": codes.Unknown,
}

// ofTransport are the codes of gRPC's own errors, which have no ErrorInfo.
var ofTransport = []codes.Code{codes.Unimplemented, codes.Canceled, codes.DeadlineExceeded, codes.ResourceExhausted}

func checkErrors(ctx context.Context, s *suite) (string, error) {
	_, conn, err := s.configured(ctx)
	switch {
	case errors.As(err, new(skipped)):
	case err != nil:
		return "", err
	default:
		for _, p := range s.probes() {
			if err := p.call(ctx, conn, callLimit); err == nil && p.method == "Verify" {
				return "", errors.New("it accepts a made-up token")
			}
		}
	}
	s.transcript.mu.Lock()
	defer s.transcript.mu.Unlock()
	if len(s.transcript.errors) == 0 {
		return "", skipped("no call returned an error")
	}
	seen := make(map[string]bool)
	for _, f := range s.transcript.errors {
		if err := f.fault(); err != nil {
			return "", fmt.Errorf("%s: %w", f.method, err)
		}
		if word := outcome(f.status.Err()); !strings.HasPrefix(word, "without") {
			seen[word] = true
		}
	}
	return fmt.Sprintf("%d errors: %s", len(s.transcript.errors), strings.Join(slices.Sorted(maps.Keys(seen)), ", ")), nil
}

// fault returns what is wrong with an error.
func (f failure) fault() error {
	if strings.HasPrefix(f.method, "GRPC") || strings.HasPrefix(f.method, "Health/") {
		return nil // not part of the protocol
	}
	info := infoOf(f.status.Err())
	switch {
	case info == nil && slices.Contains(ofTransport, f.status.Code()):
		return nil
	case info == nil:
		return fmt.Errorf("%v without a google.rpc.ErrorInfo of domain zen.provider.v1 (%.80s)", f.status.Code(), f.status.Message())
	}
	code, known := reasons[info.GetReason()]
	switch message := f.status.Message(); {
	case !known:
		return fmt.Errorf("the reason %.40q is not one that the protocol defines", info.GetReason())
	case code != f.status.Code():
		return fmt.Errorf("%s comes with %v, not %v", info.GetReason(), f.status.Code(), code)
	case message == "":
		return fmt.Errorf("%s has no message", info.GetReason())
	case !isLine(message) || !isLine(info.GetMetadata()["hint"]):
		return fmt.Errorf("the text of %s is not one line of at most 1 KiB", info.GetReason())
	}
	for _, detail := range f.status.Details() {
		if retry, ok := detail.(*errdetails.RetryInfo); ok {
			if wait := retry.GetRetryDelay().AsDuration(); code != codes.Unavailable || wait < 0 {
				return fmt.Errorf("%s has a retry delay of %v", info.GetReason(), wait)
			}
		}
	}
	return nil
}

// checkSecrets gives the provider every kind of secret that it can get, and searches
// everything that it has said during the run for them.
func checkSecrets(ctx context.Context, s *suite) (string, error) {
	for _, secret := range []string{plantedCredential, "zen-test-credential-5a1b2c3d4e5f", plantedToken, plantedSetting, plantedAnswer} {
		s.transcript.plant(secret)
	}
	whole, _ := s.settings()
	planted := false
	for _, f := range s.description.GetFields() {
		if f.GetSensitive() && s.options.Settings.Get(f.GetKey()) == "" {
			whole[f.GetKey()], planted = plantedSetting, true
		}
	}
	if err := s.tell(ctx, whole); err != nil {
		return "", err
	}
	if planted { // and again without the made-up settings, which it may refuse
		given, _ := s.settings()
		if err := s.tell(ctx, given); err != nil {
			return "", err
		}
	}
	if leaks := s.transcript.leaks(); len(leaks) > 0 {
		slices.Sort(leaks)
		return "", fmt.Errorf("a secret is in %s", strings.Join(slices.Compact(leaks), ", in "))
	}
	return fmt.Sprintf("in %d places", len(s.transcript.pieces)), nil
}

// tell starts a process and gives it every kind of secret.
func (s *suite) tell(ctx context.Context, settings map[string]string) error {
	p, conn, err := s.serving(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*callLimit)
	defer cancel()
	printed := s.listen(ctx, conn)
	_, _ = pb.NewProviderClient(conn).Configure(ctx, &pb.ConfigureRequest{Settings: settings})
	for _, probe := range s.probes() {
		_ = probe.call(ctx, conn, callLimit)
	}
	credential := &pb.Credential{Data: []byte(plantedCredential)}
	if stream, err := pb.NewProviderClient(conn).Check(ctx, &pb.CheckRequest{Credential: credential, Purpose: s.purpose()}); err == nil {
		exhaust(stream)
	}
	answer := &pb.Answer{Key: "secret_key", Value: []byte(plantedAnswer)}
	if stream, err := pb.NewProviderClient(conn).Fix(ctx, &pb.FixRequest{Id: unknownFix, Credential: credential, Answers: []*pb.Answer{answer}}); err == nil {
		exhaust(stream)
	}
	if s.has(provider.ServiceLookup) {
		if stream, err := pb.NewLookupClient(conn).Databases(ctx, &pb.DatabasesRequest{Credential: credential}); err == nil {
			exhaust(stream)
		}
	}
	if s.has(provider.ServiceIdentity) {
		_ = login(ctx, conn, s.begin(true), nil, patience)
	}
	s.transcript.add("the arguments of its processes", arguments(p.cmd.Process.Pid))
	_, _ = shutDown(ctx, p, conn)
	cancel()
	<-printed
	p.kill()
	return nil
}

// exhaust receives a whole stream, so that the transcript records it.
func exhaust[M any](stream grpc.ServerStreamingClient[M]) {
	for {
		if _, err := stream.Recv(); err != nil {
			return
		}
	}
}

// listen records the standard output and error that a go-plugin server redirects after its
// start. The returned channel is closed when they end.
func (s *suite) listen(ctx context.Context, conn *grpc.ClientConn) <-chan struct{} {
	done := make(chan struct{})
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/plugin.GRPCStdio/StreamStdio")
	if err != nil {
		close(done)
		return done
	}
	_ = stream.SendMsg(&emptypb.Empty{})
	_ = stream.CloseSend()
	go func() {
		defer close(done)
		for {
			// The channel and the bytes are in fields that Empty doesn't know.
			var data emptypb.Empty
			if err := stream.RecvMsg(&data); err != nil {
				return
			}
			s.transcript.add("what it prints", stdio(data.ProtoReflect().GetUnknown()))
		}
	}()
	return done
}
