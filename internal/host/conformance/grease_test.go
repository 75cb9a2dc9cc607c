package conformance

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/zen-auth/zen/core/plugin/plugintest"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/host"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// greasyUnary adds fields that a later version of the protocol may have to every answer.
func greasyUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	reply, err := handle(ctx, req)
	if err != nil {
		return nil, err
	}
	if d, ok := reply.(*pb.DescribeResponse); ok {
		d.Services = append(d.Services, "zen.provider.v1.Future")
		d.Fields = append(d.Fields, &pb.Field{Key: "future", Type: 99, Doc: "of a type that doesn't exist yet"})
	}
	return greased(reply.(proto.Message)), nil
}

func greasyStream(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	return handle(server, &greasyServer{ServerStream: stream})
}

// greasyServer sends an unknown kind of message first.
type greasyServer struct {
	grpc.ServerStream
	once sync.Once
}

// SendMsg implements grpc.ServerStream.
func (s *greasyServer) SendMsg(m any) (err error) {
	s.once.Do(func() {
		if _, ok := m.(*pb.LoginResponse); ok {
			err = s.ServerStream.SendMsg(greased(&pb.LoginResponse{Id: 1 << 20}))
		}
	})
	if err != nil {
		return err
	}
	return s.ServerStream.SendMsg(greased(m.(proto.Message)))
}

// TestTheHostToleratesGrease runs zen's own host with a provider of a future version.
func TestTheHostToleratesGrease(t *testing.T) {
	manager := host.NewManager(host.Options{Dirs: []string{filepath.Dir(plugintest.Self(t, "greasy"))}})
	defer func() {
		if err := manager.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	client, err := manager.Open(t.Context(), "greasy", provider.Settings{"lifetime": provider.NewSecret("1h")})
	if err != nil {
		t.Fatal(err)
	}
	d, err := client.Describe(t.Context())
	if err != nil || !slices.Contains(d.Services, "zen.provider.v1.Future") || len(d.Fields) != 3 || d.Fields[2].Type != provider.TypeString {
		t.Errorf("Describe = %+v, %v", d, err)
	}
	host := &recorder{}
	if err := client.Login(t.Context(), provider.LoginRequest{}, host); err != nil || !host.stored {
		t.Errorf("login: stored %v, %v", host.stored, err)
	}
	if response, err := client.Token(t.Context(), provider.TokenRequest{}); err != nil || response.Token.Value.IsZero() {
		t.Errorf("token: %v", err)
	}
	findings := 0
	if _, err := client.Check(t.Context(), provider.CheckRequest{}, func(provider.Finding) error { findings++; return nil }); err != nil || findings != 2 {
		t.Errorf("%d findings, %v", findings, err)
	}
}

// recorder is a Host that agrees to everything and records whether Store was called.
type recorder struct{ stored bool }

func (*recorder) OpenURL(context.Context, string, string) error             { return nil }
func (*recorder) ShowCode(context.Context, string, string, time.Time) error { return nil }
func (*recorder) Progress(context.Context, string) error                    { return nil }
func (*recorder) Ask(context.Context, string) (string, error)               { return "", provider.ErrNoCredential }
func (*recorder) AskSecret(context.Context, string) (provider.Secret, error) {
	return provider.Secret{}, provider.ErrNoCredential
}

func (r *recorder) Store(context.Context, provider.SignIn) error {
	r.stored = true
	return nil
}
