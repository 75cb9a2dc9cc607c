package wire_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/wire"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// verify returns the error that the client gets if Verify fails with err.
func verify(t *testing.T, err error) error {
	t.Helper()
	client := connect(t, &full{fail: func(context.Context) error { return err }})
	_, got := client.Verify(t.Context(), provider.NewSecret("token"))
	return got
}

func TestEachSentinelCrosses(t *testing.T) {
	for _, kind := range provider.Kinds() {
		t.Run(kind.Error(), func(t *testing.T) {
			forms := map[string]error{
				"bare":    kind,
				"wrapped": fmt.Errorf("verify: %w", fmt.Errorf("inner: %w", kind)),
				"full": fmt.Errorf("outer: %w", &provider.Error{
					Kind: kind, Message: "what happened", Hint: "what to do", RetryAfter: 90 * time.Second,
					Err: errors.New("a cause that stays"),
				}),
			}
			for form, err := range forms {
				got := verify(t, err)
				for _, k := range provider.Kinds() {
					if errors.Is(got, k) != (k == kind) {
						t.Errorf("%s: errors.Is(%v, %v) = %v", form, got, k, k != kind)
					}
				}
				if got.Error() != err.Error() {
					t.Errorf("%s: got %q, want %q", form, got, err)
				}
				if provider.Hint(got) != provider.Hint(err) {
					t.Errorf("%s: hint %q, want %q", form, provider.Hint(got), provider.Hint(err))
				}
				want := time.Duration(0)
				if form == "full" && kind == provider.ErrUnavailable {
					want = 90 * time.Second
				}
				if provider.RetryAfter(got) != want {
					t.Errorf("%s: retry after %v, want %v", form, provider.RetryAfter(got), want)
				}
			}
		})
	}
}

func TestOtherErrorsCross(t *testing.T) {
	tests := []struct {
		name string
		err  error
		is   []error
		kind error
	}{
		{"unsupported", fmt.Errorf("revoke: %w", errors.ErrUnsupported), []error{errors.ErrUnsupported}, nil},
		{"canceled", fmt.Errorf("get: %w", context.Canceled), []error{context.Canceled}, nil},
		{"own deadline", fmt.Errorf("get: %w", context.DeadlineExceeded), []error{context.DeadlineExceeded}, provider.ErrUnavailable},
		{"no kind", errors.New("boom"), nil, nil},
		{"foreign unavailable", status.Error(codes.Unavailable, "backend down"), nil, provider.ErrUnavailable},
		{"foreign resource", status.Error(codes.ResourceExhausted, "slow down"), nil, provider.ErrUnavailable},
		{"foreign argument", status.Error(codes.InvalidArgument, "bad"), nil, provider.ErrConfig},
		{"foreign data loss", status.Error(codes.DataLoss, "lost"), nil, nil},
		// A plain Unauthenticated must not delete a credential.
		{"foreign unauthenticated", status.Error(codes.Unauthenticated, "who"), nil, provider.ErrNoCredential},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := verify(t, test.err)
			for _, is := range test.is {
				if !errors.Is(got, is) {
					t.Errorf("errors.Is(%v, %v) = false", got, is)
				}
			}
			if provider.Kind(got) != test.kind {
				t.Errorf("kind of %v = %v, want %v", got, provider.Kind(got), test.kind)
			}
			if got == nil || got.Error() == "" {
				t.Errorf("an error without a text: %v", got)
			}
		})
	}
}

func TestForeignTextIsOneCleanBoundedLine(t *testing.T) {
	for name, text := range map[string]string{
		"not UTF-8":       "caf\xe9 \xff\xfe",
		"escape sequence": "a\x1b[31mred\x1b]0;title\a",
		"lines":           "first\r\nsecond\u2028third",
		"direction":       "abc\u202edcba",
		"giant":           strings.Repeat("ä", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			got := verify(t, &provider.Error{Kind: provider.ErrRejected, Message: text, Hint: text})
			if !errors.Is(got, provider.ErrRejected) {
				t.Fatalf("the error lost its kind: %.200v", got)
			}
			for _, s := range []string{got.Error(), provider.Hint(got)} {
				if s == "" || len(s) > 1<<10 || !utf8.ValidString(s) || strings.ContainsAny(s, "\x1b\a\r\n\u2028\u202e") {
					t.Errorf("got %d bytes %.100q", len(s), s)
				}
			}
		})
	}
}

func TestReplacedCredentialComesBesideAnError(t *testing.T) {
	replaced := provider.Credential{Data: provider.NewSecret("rotated-s3cret")}
	failure := &provider.Error{Kind: provider.ErrUnavailable, Message: "mint: 503", Hint: "wait", RetryAfter: time.Minute}
	client := connect(t, &full{
		credential: replaced,
		response:   provider.TokenResponse{Token: provider.Token{Value: provider.NewSecret("unfinished")}, Credential: &replaced},
		fail:       func(context.Context) error { return failure },
	})
	check := func(call string, got provider.Credential, err error) {
		t.Helper()
		if !got.Data.Equal(replaced.Data) {
			t.Errorf("%s: the replaced credential is lost", call)
		}
		if !errors.Is(err, provider.ErrUnavailable) || provider.Hint(err) != "wait" || provider.RetryAfter(err) != time.Minute {
			t.Errorf("%s: %v, want ErrUnavailable with its hint and wait", call, err)
		}
		if s, ok := status.FromError(err); ok {
			t.Errorf("%s: the error is a gRPC status: %v", call, s)
		}
	}
	refreshed, err := client.Refresh(t.Context(), provider.Credential{})
	check("Refresh", refreshed, err)
	response, err := client.Token(t.Context(), provider.TokenRequest{})
	if response.Credential == nil {
		t.Fatal("no credential")
	}
	check("Token", *response.Credential, err)
	if !response.Token.Value.IsZero() {
		t.Error("a token was returned together with an error")
	}
}

func TestCallersContext(t *testing.T) {
	hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	err := connect(t, &full{fail: hang}).Revoke(ctx, provider.Credential{})
	if !errors.Is(err, context.Canceled) || provider.Kind(err) != nil {
		t.Errorf("canceled: %v", err)
	}

	ctx, cancel = context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	err = connect(t, &full{fail: hang}).Revoke(ctx, provider.Credential{})
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("deadline: %v", err)
	}
}

func TestMissingServiceIsUnsupported(t *testing.T) {
	client := connect(t, &bare{})
	ctx := t.Context()
	_, refresh := client.Refresh(ctx, provider.Credential{})
	_, token := client.Token(ctx, provider.TokenRequest{})
	_, _, members := client.Members(ctx, provider.TeamRequest{})
	login := client.Login(ctx, provider.LoginRequest{}, nil)
	for call, err := range map[string]error{"Refresh": refresh, "Token": token, "Members": members, "Login": login} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v, want ErrUnsupported", call, err)
		}
	}
}

// brokenIdentity fails calls as another implementation might.
type brokenIdentity struct {
	pb.UnimplementedIdentityServer
	err error
}

func (b brokenIdentity) Verify(context.Context, *pb.VerifyRequest) (*pb.VerifyResponse, error) {
	return nil, b.err
}

func TestStatusWithoutErrorInfoDegradesByCode(t *testing.T) {
	for code, kind := range map[codes.Code]error{
		codes.Unauthenticated:    provider.ErrNoCredential,
		codes.PermissionDenied:   provider.ErrPermission,
		codes.Unavailable:        provider.ErrUnavailable,
		codes.Aborted:            provider.ErrUnavailable,
		codes.FailedPrecondition: provider.ErrConfig,
		codes.Internal:           nil,
		codes.Unknown:            nil,
	} {
		conn := dial(t, func(s *grpc.Server) {
			pb.RegisterIdentityServer(s, brokenIdentity{err: status.Error(code, "as another language says it")})
		})
		_, err := wire.NewClient(conn, nil).Verify(t.Context(), provider.NewSecret("x"))
		if err == nil || provider.Kind(err) != kind {
			t.Errorf("%v: kind of %v = %v, want %v", code, err, provider.Kind(err), kind)
		}
	}
}

func TestTraceHasWholeLines(t *testing.T) {
	for trace, want := range map[string]string{
		"": "", "one line": "one line",
		strings.Repeat("123456789\n", 10000): strings.Repeat("123456789\n", 32<<10/10),
		strings.Repeat("x", 100<<10):         "",
	} {
		err := wire.PanicError(&provider.Error{Kind: provider.ErrUnavailable, Message: "it panicked"}, trace)
		if got := wire.Trace(err); got != want {
			t.Errorf("%.20q of %d bytes: %d bytes, want %d", trace, len(trace), len(got), len(want))
		}
		if !wire.FromProvider(err) {
			t.Errorf("%.20q: the error lost its kind", trace)
		}
	}
	rejected := wire.PanicError(&provider.Error{Kind: provider.ErrRejected, Message: "no"}, "where that was")
	if trace := wire.Trace(rejected); trace != "" {
		t.Errorf("a rejection has a trace: %q", trace)
	}
	if trace := wire.Trace(errors.New("no status")); trace != "" {
		t.Errorf("Trace of another error = %q", trace)
	}
}
