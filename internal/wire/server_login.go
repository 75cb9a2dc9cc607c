package wire

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

type loginServerStream = grpc.BidiStreamingServer[pb.LoginRequest, pb.LoginResponse]

// serveLogin runs a login whose host is at the other end of stream.
func serveLogin(p provider.Identity, stream loginServerStream) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	begin := first.GetBegin()
	if begin == nil {
		return errors.New("login: the first message is not begin")
	}
	access, err := requestedAccess(begin.GetAccess())
	if err != nil {
		return err
	}
	host := &remoteHost{stream: stream, pending: make(map[uint32]chan<- *pb.HostAnswer)}
	// The reader ends with the stream, which gRPC cancels when this handler
	// returns: Recv can't be interrupted before that.
	go host.read()
	return p.Login(stream.Context(), provider.LoginRequest{
		Method:       begin.GetMethod(),
		Organization: begin.GetOrganization(),
		Interactive:  begin.GetInteractive(),
		Target:       targetFromWire(begin.GetTarget()),
		Access:       access,
		Permissions:  each(begin.GetPermissions(), permissionFromWire),

		Audience: begin.GetAudience(), AssertionKinds: each(begin.GetAssertionKinds(), kindFromWire),
	}, host)
}

// remoteHost is the host as the provider sees it.
type remoteHost struct {
	stream loginServerStream
	// sendMu is held for Send, which allows one caller at a time. It is apart from
	// mu, so that answers are read while a send waits for the other side.
	sendMu sync.Mutex

	// mu guards what is below.
	mu      sync.Mutex
	lastID  uint32
	pending map[uint32]chan<- *pb.HostAnswer
}

// read hands answers to those that wait for them, until the stream ends. Whoever
// waits then sees the end of the stream's context.
func (h *remoteHost) read() {
	for {
		message, err := h.stream.Recv()
		if err != nil {
			return
		}
		answer := message.GetAnswer()
		h.mu.Lock()
		waiting := h.pending[answer.GetId()]
		delete(h.pending, answer.GetId())
		h.mu.Unlock()
		if waiting != nil {
			waiting <- answer
		}
	}
}

// do sends a request and waits for its answer.
func (h *remoteHost) do(ctx context.Context, request *pb.LoginResponse) (*pb.HostAnswer, error) {
	answers := make(chan *pb.HostAnswer, 1)
	h.mu.Lock()
	h.lastID++
	request.Id = h.lastID
	h.pending[request.Id] = answers
	h.mu.Unlock()
	if err := h.send(request); err != nil {
		h.forget(request.GetId())
		return nil, fmt.Errorf("ask the host: %w", err)
	}
	select {
	case answer := <-answers:
		return answer, errorOf(answer.GetFailure(), receivedText)
	case <-h.stream.Context().Done():
		return nil, h.stream.Context().Err()
	case <-ctx.Done():
		if h.forget(request.GetId()) {
			// If this can't be sent the stream is over, and with it the request.
			_ = h.send(&pb.LoginResponse{Id: request.GetId(), Request: &pb.LoginResponse_Cancel{Cancel: &pb.Cancel{}}})
			return nil, ctx.Err()
		}
		// The answer came in the same moment: what is done is done.
		answer := <-answers
		return answer, errorOf(answer.GetFailure(), receivedText)
	}
}

func (h *remoteHost) send(message *pb.LoginResponse) error {
	h.sendMu.Lock()
	defer h.sendMu.Unlock()
	return h.stream.Send(message)
}

// forget reports whether the request was still waiting for its answer.
func (h *remoteHost) forget(id uint32) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, waiting := h.pending[id]
	delete(h.pending, id)
	return waiting
}

func (h *remoteHost) OpenURL(ctx context.Context, url, code string) error {
	_, err := h.do(ctx, &pb.LoginResponse{Request: &pb.LoginResponse_OpenUrl{
		OpenUrl: &pb.OpenURL{Url: url, Code: code},
	}})
	return err
}

func (h *remoteHost) ShowCode(ctx context.Context, code, url string, expires time.Time) error {
	_, err := h.do(ctx, &pb.LoginResponse{Request: &pb.LoginResponse_ShowCode{
		ShowCode: &pb.ShowCode{Code: code, Url: url, Expires: timestamp(expires)},
	}})
	return err
}

func (h *remoteHost) Progress(ctx context.Context, text string) error {
	_, err := h.do(ctx, &pb.LoginResponse{Request: &pb.LoginResponse_Progress{
		Progress: &pb.Progress{Text: sentText(text)},
	}})
	return err
}

func (h *remoteHost) Ask(ctx context.Context, question string) (string, error) {
	answer, err := h.do(ctx, &pb.LoginResponse{Request: &pb.LoginResponse_Ask{
		Ask: &pb.Ask{Question: sentText(question)},
	}})
	return answer.GetLine(), err
}

func (h *remoteHost) AskSecret(ctx context.Context, question string) (provider.Secret, error) {
	answer, err := h.do(ctx, &pb.LoginResponse{Request: &pb.LoginResponse_AskSecret{
		AskSecret: &pb.AskSecret{Question: sentText(question)},
	}})
	return provider.NewSecret(string(answer.GetSecret())), err
}

func (h *remoteHost) Store(ctx context.Context, result provider.SignIn) error {
	_, err := h.do(ctx, &pb.LoginResponse{Request: &pb.LoginResponse_Store{
		Store: &pb.SignIn{
			Credential: credentialToWire(result.Credential),
			Claims:     claimsToWire(result.Claims),
			Token:      optional(result.Token, tokenToWire),
		},
	}})
	return err
}

// Interface guards
var _ provider.Host = (*remoteHost)(nil)
