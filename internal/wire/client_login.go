package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"sync"

	"google.golang.org/grpc"

	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

const (
	// maxOutstanding bounds what a provider may want from the host at once.
	maxOutstanding = 16
	// maxRequests bounds what it may want in one sign-in: more than an hour of progress,
	// a line every few seconds.
	maxRequests = 1000
)

// Login implements provider.Identity. It returns only after every call to host
// has. A provider that ends it well without a stored result is an error.
func (c *Client) Login(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.identity.Login(ctx)
	if err != nil {
		return c.fail(err)
	}
	begin := &pb.LoginRequest{Message: &pb.LoginRequest_Begin{Begin: &pb.LoginBegin{
		Method:       req.Method,
		Organization: req.Organization,
		Interactive:  req.Interactive,
		Target:       targetToWire(req.Target),
		Access:       accessToWire(req.Access),
		Permissions:  each(req.Permissions, permissionToWire),

		Audience: req.Audience, AssertionKinds: each(req.AssertionKinds, kindToWire),
	}}}
	// After io.EOF, Recv says why the stream is over.
	if err := stream.Send(begin); err != nil && !errors.Is(err, io.EOF) {
		return c.fail(err)
	}
	login := &login{client: c, host: host, stream: stream, outstanding: make(map[uint32]context.CancelFunc)}
	err = login.serve(ctx)
	cancel()
	login.calls.Wait()
	switch {
	case !errors.Is(err, io.EOF):
		return c.fail(err)
	case login.stored != storedYes:
		return errors.New("the provider ended the sign-in without a result")
	}
	return nil
}

// login is the host's side of one login.
type login struct {
	client *Client
	host   provider.Host
	stream grpc.BidiStreamingClient[pb.LoginRequest, pb.LoginResponse]
	calls  sync.WaitGroup
	// sendMu is held for Send, which allows one caller at a time. It is apart from
	// mu, so that requests are read while a send waits for the other side.
	sendMu sync.Mutex

	// mu guards what is below.
	mu          sync.Mutex
	outstanding map[uint32]context.CancelFunc
	stored      storeState
}

type storeState int

const (
	storedNo storeState = iota
	storing
	storedYes
)

// serve starts a call to the host for each request, until the stream ends.
func (l *login) serve(ctx context.Context) error {
	for range maxRequests {
		request, err := l.stream.Recv()
		if err != nil {
			return err
		}
		id := request.GetId()
		if request.GetCancel() != nil {
			l.finish(id)
			continue
		}
		callCtx, cancel := context.WithCancel(ctx)
		if err := l.begin(id, cancel); err != nil {
			cancel()
			return err
		}
		l.calls.Go(func() {
			answer := l.answer(callCtx, request)
			answer.Id = id
			if l.finish(id) {
				// An answer that can't be sent means that the stream is over,
				// which serve sees.
				_ = l.send(&pb.LoginRequest{Message: &pb.LoginRequest_Answer{Answer: answer}})
			}
		})
	}
	return &provider.Error{
		Kind:    provider.ErrUnavailable,
		Message: fmt.Sprintf("the provider asked for more than %d things in one sign-in", maxRequests),
	}
}

func (l *login) begin(id uint32, cancel context.CancelFunc) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch _, used := l.outstanding[id]; {
	case used || id == 0:
		return fmt.Errorf("the provider asked with id %d, which is zero or in use", id)
	case len(l.outstanding) >= maxOutstanding:
		return fmt.Errorf("the provider asked for more than %d things at once", maxOutstanding)
	}
	l.outstanding[id] = cancel
	return nil
}

// finish ends a request and reports whether it was outstanding.
func (l *login) finish(id uint32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	cancel, ok := l.outstanding[id]
	if ok {
		cancel()
		delete(l.outstanding, id)
	}
	return ok
}

func (l *login) send(message *pb.LoginRequest) error {
	l.sendMu.Lock()
	defer l.sendMu.Unlock()
	return l.stream.Send(message)
}

// answer does what the provider wants. URLs and codes are shown as they are, since
// that is what they are for; texts are redacted, of which what a person typed with an
// echo is no part.
func (l *login) answer(ctx context.Context, request *pb.LoginResponse) *pb.HostAnswer {
	var err error
	switch r := request.GetRequest().(type) {
	case *pb.LoginResponse_OpenUrl:
		if err = checkURL(r.OpenUrl.GetUrl()); err == nil {
			err = l.host.OpenURL(ctx, r.OpenUrl.GetUrl(), receivedText(r.OpenUrl.GetCode()))
		}
	case *pb.LoginResponse_ShowCode:
		if err = checkURL(r.ShowCode.GetUrl()); err == nil {
			code := r.ShowCode
			err = l.host.ShowCode(ctx, receivedText(code.GetCode()), code.GetUrl(), moment(code.GetExpires()))
		}
	case *pb.LoginResponse_Progress:
		err = l.host.Progress(ctx, l.client.text(r.Progress.GetText()))
	case *pb.LoginResponse_Ask:
		var line string
		if line, err = l.host.Ask(ctx, l.client.text(r.Ask.GetQuestion())); err == nil {
			return &pb.HostAnswer{Result: &pb.HostAnswer_Line{Line: sentText(line)}}
		}
	case *pb.LoginResponse_AskSecret:
		var secret provider.Secret
		if secret, err = l.host.AskSecret(ctx, l.client.text(r.AskSecret.GetQuestion())); err == nil {
			return &pb.HostAnswer{Result: &pb.HostAnswer_Secret{Secret: []byte(secret.Reveal())}}
		}
	case *pb.LoginResponse_Store:
		err = l.store(ctx, r.Store)
	default:
		err = fmt.Errorf("a request that this zen does not know: %w", errors.ErrUnsupported)
	}
	if err != nil {
		return &pb.HostAnswer{Result: &pb.HostAnswer_Failure{Failure: failureOf(err)}}
	}
	return &pb.HostAnswer{Result: &pb.HostAnswer_Done{Done: &pb.Done{}}}
}

// store hands over the result, once with success.
func (l *login) store(ctx context.Context, result *pb.SignIn) error {
	l.mu.Lock()
	refused := l.stored != storedNo
	if !refused {
		l.stored = storing
	}
	l.mu.Unlock()
	if refused {
		return errors.New("a result is stored already")
	}
	signIn, err := returnedSignIn(result)
	if err == nil {
		err = l.host.Store(ctx, signIn)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stored = storedYes
	if err != nil {
		l.stored = storedNo
	}
	return err
}

// checkURL refuses what a browser must not be opened with: it would start the
// program of another scheme.
func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return &provider.Error{
			Kind: provider.ErrConfig, Message: "the URL to open is not an http or https URL with a host",
		}
	}
	return nil
}
