package wire_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/wire"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// terminal is a host that records its calls.
type terminal struct {
	mu     sync.Mutex
	calls  []string
	stored []provider.SignIn

	storeErr error
	ask      func(ctx context.Context, question string) (string, error)
}

func (h *terminal) record(format string, args ...any) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, fmt.Sprintf(format, args...))
	return nil
}

func (h *terminal) OpenURL(_ context.Context, url, code string) error {
	return h.record("open %s %s", url, code)
}

func (h *terminal) ShowCode(_ context.Context, code, url string, expires time.Time) error {
	return h.record("code %s %s %d", code, url, expires.Unix())
}

func (h *terminal) Progress(_ context.Context, text string) error {
	return h.record("progress %s", text)
}

func (h *terminal) Ask(ctx context.Context, question string) (string, error) {
	_ = h.record("ask %s", question)
	return h.ask(ctx, question)
}

func (h *terminal) AskSecret(ctx context.Context, question string) (provider.Secret, error) {
	_ = h.record("ask secret %s", question)
	line, err := h.ask(ctx, question)
	return provider.NewSecret(line), err
}

func (h *terminal) Store(_ context.Context, result provider.SignIn) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.storeErr == nil {
		h.stored = append(h.stored, result)
	}
	return h.storeErr
}

type loginFunc = func(context.Context, provider.LoginRequest, provider.Host) error

func login(t *testing.T, host provider.Host, run loginFunc) error {
	t.Helper()
	client := connect(t, &full{login: run})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // against a hang
	defer cancel()
	return client.Login(ctx, provider.LoginRequest{}, host)
}

func TestLoginTalksToTheHost(t *testing.T) {
	host := &terminal{ask: func(_ context.Context, question string) (string, error) { return "re: " + question, nil }}
	request := filled[provider.LoginRequest](t)
	result := filled[provider.SignIn](t)
	client := connect(t, &full{login: func(ctx context.Context, got provider.LoginRequest, h provider.Host) error {
		if diff := cmp.Diff(request, got, compare); diff != "" {
			return errors.New(diff)
		}
		line, askErr := h.Ask(ctx, "e-mail")
		secret, secretErr := h.AskSecret(ctx, "pin")
		if line != "re: e-mail" || secret.Reveal() != "re: pin" {
			return fmt.Errorf("answers %q %q", line, secret.Reveal())
		}
		return errors.Join(askErr, secretErr,
			h.OpenURL(ctx, "https://example.com/?state=1", "ABCD"),
			h.ShowCode(ctx, "WXYZ", "https://example.com/device", time.Unix(1_700_000_000, 0)),
			h.Progress(ctx, "waiting\x1b[2J"),
			h.Store(ctx, result))
	}})
	if err := client.Login(t.Context(), request, host); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"ask e-mail", "ask secret pin", "open https://example.com/?state=1 ABCD",
		"code WXYZ https://example.com/device 1700000000", "progress waiting[2J",
	}
	if diff := cmp.Diff(want, host.calls); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]provider.SignIn{result}, host.stored, compare); diff != "" {
		t.Error(diff)
	}
}

// A provider that reports progress for ever is ended before the sign-in's own timeout.
func TestLoginIsBounded(t *testing.T) {
	host := &terminal{}
	err := login(t, host, func(ctx context.Context, _ provider.LoginRequest, h provider.Host) error {
		for {
			if err := h.Progress(ctx, "waiting"); err != nil {
				return err
			}
		}
	})
	if !errors.Is(err, provider.ErrUnavailable) || !strings.Contains(err.Error(), "more than 1000 things") {
		t.Errorf("%v after %d calls", err, len(host.calls))
	}
}

// The browser's page and a pasted line race: the question that loses is canceled.
func TestLoginAsksSeveralAtOnceAndCancels(t *testing.T) {
	withdrawn := make(chan error, 1)
	asked := make(chan struct{})
	host := &terminal{ask: func(ctx context.Context, question string) (string, error) {
		if question == "fast" {
			return "first", nil
		}
		close(asked)
		<-ctx.Done()
		withdrawn <- ctx.Err()
		return "", ctx.Err()
	}}
	err := login(t, host, func(ctx context.Context, _ provider.LoginRequest, h provider.Host) error {
		slow, cancel := context.WithCancel(ctx)
		defer cancel()
		slowErr := make(chan error, 1)
		go func() {
			_, err := h.Ask(slow, "slow")
			slowErr <- err
		}()
		<-asked
		if line, err := h.Ask(ctx, "fast"); line != "first" {
			return fmt.Errorf("fast: %q, %w", line, err)
		}
		cancel()
		if err := <-slowErr; !errors.Is(err, context.Canceled) {
			return fmt.Errorf("slow: %w", err)
		}
		if err := <-withdrawn; !errors.Is(err, context.Canceled) {
			return fmt.Errorf("the host's call was not canceled: %w", err)
		}
		return h.Store(ctx, provider.SignIn{Credential: provider.Credential{Data: provider.NewSecret("credential")}})
	})
	if err != nil {
		t.Error(err)
	}
}

func TestLoginWithoutResultFails(t *testing.T) {
	for name, run := range map[string]loginFunc{
		"Store is not called": func(context.Context, provider.LoginRequest, provider.Host) error { return nil },
		"the error of Store is ignored": func(ctx context.Context, _ provider.LoginRequest, h provider.Host) error {
			_ = h.Store(ctx, provider.SignIn{Credential: provider.Credential{Data: provider.NewSecret("credential")}})
			return nil
		},
	} {
		host := &terminal{storeErr: errors.New("disk full")}
		if err := login(t, host, run); err == nil || !strings.Contains(err.Error(), "without a result") {
			t.Errorf("%s: %v, want an error about the missing result", name, err)
		}
	}
}

func TestLoginStoresOnce(t *testing.T) {
	host := &terminal{}
	err := login(t, host, func(ctx context.Context, _ provider.LoginRequest, h provider.Host) error {
		if err := h.Store(ctx, provider.SignIn{Credential: provider.Credential{Data: provider.NewSecret("credential")}}); err != nil {
			return err
		}
		return h.Store(ctx, provider.SignIn{Credential: provider.Credential{Data: provider.NewSecret("credential")}})
	})
	if err == nil || len(host.stored) != 1 {
		t.Errorf("stored %d times, %v", len(host.stored), err)
	}
}

func TestLoginKeepsTheKindOfTheHostsErrors(t *testing.T) {
	host := &terminal{storeErr: &provider.Error{Kind: provider.ErrPermission, Message: "not for this database", Hint: "use another"}}
	err := login(t, host, func(ctx context.Context, _ provider.LoginRequest, h provider.Host) error {
		return fmt.Errorf("sign in: %w", h.Store(ctx, provider.SignIn{Credential: provider.Credential{Data: provider.NewSecret("credential")}}))
	})
	if !errors.Is(err, provider.ErrPermission) || provider.Hint(err) != "use another" || err.Error() != "sign in: not for this database" {
		t.Errorf("Login: %v, want the host's error", err)
	}
}

func TestLoginOpensWebPagesOnly(t *testing.T) {
	host := &terminal{}
	err := login(t, host, func(ctx context.Context, _ provider.LoginRequest, h provider.Host) error {
		for _, url := range []string{
			"", "file:///etc/passwd", "javascript:alert(1)", "ms-msdt:/id", "https://", "-a https://x", "https://u:p@example.com/",
		} {
			if err := h.OpenURL(ctx, url, ""); !errors.Is(err, provider.ErrConfig) {
				t.Errorf("open %q: %v", url, err)
			}
			if err := h.ShowCode(ctx, "c", url, time.Time{}); !errors.Is(err, provider.ErrConfig) {
				t.Errorf("show %q: %v", url, err)
			}
		}
		return h.Store(ctx, provider.SignIn{Credential: provider.Credential{Data: provider.NewSecret("credential")}})
	})
	if err != nil || len(host.calls) != 0 {
		t.Errorf("the host was called: %v, %v", host.calls, err)
	}
}

func TestLoginEndsWithItsContext(t *testing.T) {
	providerEnded := make(chan struct{})
	client := connect(t, &full{login: func(ctx context.Context, _ provider.LoginRequest, h provider.Host) error {
		defer close(providerEnded)
		_, err := h.Ask(ctx, "forever")
		return err
	}})
	ctx, cancel := context.WithCancel(t.Context())
	host := &terminal{ask: func(ctx context.Context, _ string) (string, error) {
		cancel()
		<-ctx.Done()
		return "", ctx.Err()
	}}
	if err := client.Login(ctx, provider.LoginRequest{}, host); !errors.Is(err, context.Canceled) {
		t.Errorf("Login: %v, want context.Canceled", err)
	}
	<-providerEnded
}

// flood is a provider that breaks the rules of Login.
type flood struct {
	pb.UnimplementedIdentityServer
	send func(grpc.BidiStreamingServer[pb.LoginRequest, pb.LoginResponse]) error
}

func (f flood) Login(s grpc.BidiStreamingServer[pb.LoginRequest, pb.LoginResponse]) error {
	if err := f.send(s); err != nil {
		return err
	}
	<-s.Context().Done()
	return s.Context().Err()
}

func TestLoginEnforcesItsRules(t *testing.T) {
	ask := func(id uint32) *pb.LoginResponse {
		return &pb.LoginResponse{Id: id, Request: &pb.LoginResponse_Ask{Ask: &pb.Ask{}}}
	}
	tests := map[string]struct {
		ids  []uint32
		text string
	}{
		"id zero":  {[]uint32{0}, "id 0"},
		"id twice": {[]uint32{7, 7}, "id 7"},
		"too many": {[]uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}, "more than 16"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, func(s *grpc.Server) {
				pb.RegisterIdentityServer(s, flood{send: func(s grpc.BidiStreamingServer[pb.LoginRequest, pb.LoginResponse]) error {
					for _, id := range test.ids {
						if err := s.Send(ask(id)); err != nil {
							return err
						}
					}
					return nil
				}})
			})
			host := &terminal{ask: func(ctx context.Context, _ string) (string, error) {
				<-ctx.Done()
				return "", ctx.Err()
			}}
			err := wire.NewClient(conn, nil).Login(t.Context(), provider.LoginRequest{}, host)
			if err == nil || !strings.Contains(err.Error(), test.text) {
				t.Errorf("Login: %v", err)
			}
		})
	}
}

func TestLoginAnswersUnknownRequests(t *testing.T) {
	answers := make(chan *pb.HostAnswer, 1)
	conn := dial(t, func(s *grpc.Server) {
		pb.RegisterIdentityServer(s, flood{send: func(s grpc.BidiStreamingServer[pb.LoginRequest, pb.LoginResponse]) error {
			if _, err := s.Recv(); err != nil {
				return err
			}
			if err := s.Send(&pb.LoginResponse{Id: 1}); err != nil { // a kind of request from a later version
				return err
			}
			m, err := s.Recv()
			answers <- m.GetAnswer()
			return errors.Join(err, errors.New("enough"))
		}})
	})
	if err := wire.NewClient(conn, nil).Login(t.Context(), provider.LoginRequest{}, &terminal{}); err == nil {
		t.Error("no error")
	}
	if a := <-answers; a.GetId() != 1 || a.GetFailure().GetReason() != "UNSUPPORTED" {
		t.Errorf("answer %v", a)
	}
}
