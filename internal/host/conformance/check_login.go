package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// patience limits a login whose requests stay without an answer.
const patience = 2 * time.Second

// signIn is the result of a login.
type signIn struct {
	stored *pb.SignIn
	broken error // the rule that the login broke
	err    error // the call's error; nil if it succeeded
	// asked is the kind of request with which it asked the user something, or "".
	asked string
}

// login makes a login in the role of a host whose user answers nothing, or made-up texts
// if the login is interactive. If storeFailure is not nil, it is the answer to Store. The
// login is given up after limit.
func login(ctx context.Context, conn *grpc.ClientConn, begin *pb.LoginBegin, storeFailure *pb.Failure, limit time.Duration) signIn {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var result signIn
	stream, err := openLogin(ctx, conn, begin)
	if err != nil {
		return signIn{err: err}
	}
	// Grease: an answer to no request, and a message of an unknown kind.
	_ = stream.Send(&pb.LoginRequest{Message: &pb.LoginRequest_Answer{Answer: &pb.HostAnswer{Id: 1 << 30}}})
	_ = stream.Send(greased(&pb.LoginRequest{}))
	used := make(map[uint32]bool)
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return result
		}
		if err != nil {
			result.err = err
			return result
		}
		id, answer := request.GetId(), &pb.HostAnswer{Result: &pb.HostAnswer_Done{Done: &pb.Done{}}}
		if request.GetCancel() == nil {
			if id == 0 || used[id] {
				result.broken = fmt.Errorf("it sends a request with the id %d, which is zero or already used", id)
			}
			used[id] = true
		} else if !used[id] {
			result.broken = fmt.Errorf("it cancels the request %d, which it never sent", id)
		}
		switch request.GetRequest().(type) {
		case *pb.LoginResponse_Ask, *pb.LoginResponse_AskSecret, *pb.LoginResponse_OpenUrl, *pb.LoginResponse_ShowCode:
			result.asked = kindOf(request)
		}
		switch r := request.GetRequest().(type) {
		case *pb.LoginResponse_Ask, *pb.LoginResponse_AskSecret:
			answer = &pb.HostAnswer{Result: &pb.HostAnswer_Failure{Failure: &pb.Failure{Reason: "NO_CREDENTIAL", Message: "no one can answer"}}}
			if begin.GetInteractive() {
				answer = typed(request)
			}
		case *pb.LoginResponse_Store:
			if result.stored != nil {
				result.broken = errors.New("it stores a result twice")
			}
			if storeFailure != nil {
				answer = &pb.HostAnswer{Result: &pb.HostAnswer_Failure{Failure: storeFailure}}
			} else {
				result.stored = r.Store
			}
		case *pb.LoginResponse_Cancel:
			continue
		}
		answer.Id = id
		_ = stream.Send(&pb.LoginRequest{Message: &pb.LoginRequest_Answer{Answer: answer}})
	}
}

// typed answers a question with a made-up secret.
func typed(request *pb.LoginResponse) *pb.HostAnswer {
	if request.GetAskSecret() != nil {
		return &pb.HostAnswer{Result: &pb.HostAnswer_Secret{Secret: []byte(plantedAnswer)}}
	}
	return &pb.HostAnswer{Result: &pb.HostAnswer_Line{Line: "nobody"}}
}

func (s *suite) begin(interactive bool) *pb.LoginBegin {
	return &pb.LoginBegin{Interactive: interactive, Target: &pb.Target{Url: s.options.Database.URL, DatabaseId: s.options.Database.DatabaseID}}
}

func checkLogin(ctx context.Context, s *suite, conn *grpc.ClientConn) (string, error) {
	alone := login(ctx, conn, s.begin(false), nil, callLimit)
	if err := alone.fault(); err != nil {
		return "", err
	}
	detail := fmt.Sprintf("non-interactive: %s", outcome(alone.err))
	if alone.stored != nil {
		detail = "non-interactive: stored"
		s.credential = alone.stored.GetCredential()
		refused := login(ctx, conn, s.begin(false), &pb.Failure{Reason: "TOKEN_INVALID", Message: "the host refuses it"}, patience)
		if refused.err == nil {
			return "", errors.New("it succeeds although the host did not accept the result")
		}
	}
	odd := s.begin(true)
	odd.Method = "zen-test-no-such-method"
	if other := login(ctx, conn, odd, nil, callLimit); other.err == nil || other.stored != nil {
		return "", errors.New("it signs in by a method that it doesn't list")
	} else if reasonOf(other.err) != "CONFIG" {
		return "", fmt.Errorf("for a method that it doesn't list, Login returns %s, not CONFIG", outcome(other.err))
	}
	odd = s.begin(true)
	odd.Access = 99
	if other := login(ctx, conn, odd, nil, callLimit); reasonOf(other.err) != "CONFIG" {
		return "", fmt.Errorf("for an unknown access, Login returns %s, not CONFIG", outcome(other.err))
	}
	for _, m := range s.description.GetMethods() {
		if m.GetInteraction() != pb.Interaction_INTERACTION_NONE {
			continue
		}
		begin := s.begin(true)
		begin.Method = m.GetName()
		if machine := login(ctx, conn, begin, nil, patience); machine.asked != "" {
			return "", fmt.Errorf("the method %s is declared as non-interactive, but asks for %s", m.GetName(), machine.asked)
		}
	}
	person := login(ctx, conn, s.begin(true), nil, patience)
	return detail, errors.Join(person.fault(), answers(ctx, conn))
}

// fault returns what is wrong with a login, whether it succeeded or not.
func (l signIn) fault() error {
	switch {
	case l.broken != nil:
		return l.broken
	case l.err == nil && l.stored == nil:
		return errors.New("it succeeds without a stored result")
	case l.stored != nil && len(l.stored.GetCredential().GetData()) == 0:
		return errors.New("it stores a credential without data")
	case l.stored != nil && len(l.stored.GetCredential().GetData()) > 64<<10:
		return errors.New("it stores a credential of more than 64 KiB")
	}
	return nil
}

func checkCancellation(ctx context.Context, s *suite, conn *grpc.ClientConn) (string, error) {
	var first string
	const logins = 4
	for n := range logins {
		got, err := givenUp(ctx, conn, s.begin(true))
		if err != nil {
			return "", fmt.Errorf("login %d: %w", n+1, err)
		}
		if n == 0 {
			first = got
		}
		if got != first {
			return "", fmt.Errorf("login %d starts with %s, but the first one with %s", n+1, got, first)
		}
		if err := answers(ctx, conn); err != nil {
			return "", fmt.Errorf("after a cancelled login: %w", err)
		}
	}
	return fmt.Sprintf("%d logins, each starting with %s", logins, first), nil
}

// givenUp starts a login, waits for its first request, and cancels it.
func givenUp(ctx context.Context, conn *grpc.ClientConn, begin *pb.LoginBegin) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	stream, err := openLogin(ctx, conn, begin)
	if err != nil {
		return "", err
	}
	request, err := stream.Recv()
	switch {
	case errors.Is(err, io.EOF):
		return "", errors.New("it succeeds without a stored result")
	case status.Code(err) == codes.DeadlineExceeded && reasonOf(err) == "":
		return "", fmt.Errorf("it sends no request within %v", callLimit)
	case err != nil:
		return outcome(err), nil
	}
	return kindOf(request), nil
}

// kindOf returns the name of what the provider requests, such as open_url.
func kindOf(request *pb.LoginResponse) string {
	m := request.ProtoReflect()
	if field := m.WhichOneof(m.Descriptor().Oneofs().ByName("request")); field != nil {
		return string(field.Name())
	}
	return "an unknown request"
}
