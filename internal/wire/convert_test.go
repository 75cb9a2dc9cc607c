package wire_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/wire"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

var compare = cmp.Options{
	cmp.Comparer(func(a, b provider.Secret) bool { return a.Reveal() == b.Reveal() }),
	cmpopts.EquateEmpty(),
}

const planted = "planted-s3cret"

// filled returns a T with every field set, each to something else, so that a
// field that a conversion forgets is seen.
func filled[T any](t *testing.T) T {
	t.Helper()
	var v T
	n := 0
	fill(t, reflect.ValueOf(&v).Elem(), &n)
	return v
}

func fill(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	*n++
	switch v.Interface().(type) {
	case provider.Secret:
		v.Set(reflect.ValueOf(provider.NewSecret(fmt.Sprintf("%s-%d\xff", planted, *n))))
		return
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(1_700_000_000+int64(*n), int64(*n)).UTC()))
		return
	case time.Duration:
		v.SetInt(int64(*n) * int64(time.Second))
		return
	case provider.Access:
		v.Set(reflect.ValueOf(provider.AccessReadOnly))
		return
	case provider.FieldType:
		v.Set(reflect.ValueOf(provider.TypeDuration))
		return
	case provider.Severity:
		v.Set(reflect.ValueOf(provider.SeverityError))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text-%d", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i), n)
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key, n)
		fill(t, value, n)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), n)
		}
	default:
		t.Fatalf("no filling for %v", v.Type())
	}
}

func TestEveryFieldCrosses(t *testing.T) {
	f := &full{
		bare: bare{
			description: filled[provider.Description](t),
			notes:       filled[[]provider.Note](t),
			findings:    filled[[]provider.Finding](t),
		},
		credential:  filled[provider.Credential](t),
		claims:      filled[provider.Claims](t),
		response:    filled[provider.TokenResponse](t),
		members:     filled[[]provider.Member](t),
		invitations: filled[[]provider.Invitation](t),
	}
	client := connect(t, f)
	ctx := t.Context()
	same := func(what string, err error, want, got any) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if diff := cmp.Diff(want, got, compare); diff != "" {
			t.Errorf("%s (-sent +received):\n%s", what, diff)
		}
	}

	description, err := client.Describe(ctx)
	want := f.description
	want.Services = []provider.Service{provider.ServiceIdentity, provider.ServiceTokenSource, provider.ServiceTeam}
	same("description", err, want, description)

	settings := provider.Settings{"key": provider.NewSecret("value"), "empty": {}}
	notes, err := client.Configure(ctx, settings)
	same("notes", err, f.notes, notes)
	same("settings", nil, settings, f.configured)

	var findings []provider.Finding
	err = client.Check(ctx, func(f provider.Finding) error { findings = append(findings, f); return nil })
	same("findings", err, f.findings, findings)

	credential := filled[provider.Credential](t)
	refreshed, err := client.Refresh(ctx, credential)
	same("refreshed", err, f.credential, refreshed)
	same("refreshed from", nil, credential, f.gotCredential)

	claims, err := client.Verify(ctx, provider.NewSecret(planted))
	same("claims", err, f.claims, claims)
	same("verified token", nil, provider.NewSecret(planted), f.gotToken)

	f.gotCredential = provider.Credential{}
	same("revoke", client.Revoke(ctx, credential), nil, nil)
	same("revoked", nil, credential, f.gotCredential)

	request := filled[provider.TokenRequest](t)
	response, err := client.Token(ctx, request)
	same("token response", err, f.response, response)
	same("token request", nil, request, f.gotRequest)

	team := filled[provider.TeamRequest](t)
	members, err := client.Members(ctx, team)
	same("members", err, f.members, members)
	same("team", nil, team, f.gotTeam)
	invitations, err := client.Invitations(ctx, team)
	same("invitations", err, f.invitations, invitations)
	invitation, err := client.Invite(ctx, team, "a@example.com", "admin")
	same("invitation", err, f.invitations[0], invitation)
	same("invite", nil, []string{"a@example.com", "admin"}, f.gotArgs)
	same("revoke invitation", client.RevokeInvitation(ctx, team, "inv_1"), nil, nil)
	same("revoked invitation", nil, []string{"inv_1"}, f.gotArgs)
}

func TestNothingStaysNothing(t *testing.T) {
	f := &full{}
	client := connect(t, f)
	response, err := client.Token(t.Context(), provider.TokenRequest{})
	if err != nil || response.Credential != nil || response.Token.Verification != nil || !response.Token.Expires.IsZero() {
		t.Errorf("token response %+v, %v", response, err)
	}
	if diff := cmp.Diff(provider.TokenRequest{}, f.gotRequest, compare); diff != "" {
		t.Errorf("token request: %s", diff)
	}
	claims, err := client.Verify(t.Context(), provider.Secret{})
	if err != nil || claims.Database != nil || claims.Organization != nil || !claims.Expires.IsZero() {
		t.Errorf("claims %+v, %v", claims, err)
	}
}

// A permission for no table must not become one for every table.
func TestPermissionForNoTableStaysThat(t *testing.T) {
	f := &full{}
	client := connect(t, f)
	sent := []provider.Permission{{Tables: []string{}}, {Tables: nil}, {Tables: []string{"notes"}}}
	if _, err := client.Token(t.Context(), provider.TokenRequest{Permissions: sent}); err != nil {
		t.Fatal(err)
	}
	for i, p := range f.gotRequest.Permissions {
		if (p.Tables == nil) != (sent[i].Tables == nil) || len(p.Tables) != len(sent[i].Tables) {
			t.Errorf("%#v became %#v", sent[i].Tables, p.Tables)
		}
	}
}

func TestUnknownAccessIsRefused(t *testing.T) {
	f := &full{login: func(context.Context, provider.LoginRequest, provider.Host) error { return nil }}
	client := connect(t, f)
	_, token := client.Token(t.Context(), provider.TokenRequest{Access: "append-only"})
	login := client.Login(t.Context(), provider.LoginRequest{Access: "append-only"}, nil)
	for call, err := range map[string]error{"Token": token, "Login": login} {
		if !errors.Is(err, provider.ErrConfig) {
			t.Errorf("%s: %v", call, err)
		}
	}
}

// future serves what a later version might.
type future struct {
	pb.UnimplementedProviderServer
	pb.UnimplementedTokenSourceServer
}

func (future) Describe(context.Context, *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	d := &pb.DescribeResponse{
		Name:     "future",
		Services: []string{"zen.provider.v1.Identity", "zen.provider.v9.Telepathy"},
		Fields:   []*pb.Field{{Key: "colour", Type: 99}},
	}
	d.ProtoReflect().SetUnknown(protoreflect.RawFields("\xfa\x3f\x05hello")) // field 1023
	return d, nil
}

func (future) Check(_ *pb.CheckRequest, s grpc.ServerStreamingServer[pb.CheckResponse]) error {
	return s.Send(&pb.CheckResponse{Finding: &pb.Finding{Name: "n", Severity: 99}})
}

func (future) Token(context.Context, *pb.TokenRequest) (*pb.TokenResponse, error) {
	return &pb.TokenResponse{Token: &pb.Token{
		Issued:  &timestamppb.Timestamp{Seconds: -1 << 62},
		Expires: &timestamppb.Timestamp{Seconds: 1 << 62, Nanos: -1},
	}}, nil
}

func TestLaterVersionsAreTolerated(t *testing.T) {
	client := wire.NewClient(dial(t, func(s *grpc.Server) {
		pb.RegisterProviderServer(s, future{})
		pb.RegisterTokenSourceServer(s, future{})
	}), nil)
	d, err := client.Describe(t.Context())
	if err != nil || len(d.Services) != 2 || d.Fields[0].Type != provider.TypeString {
		t.Errorf("description %+v, %v", d, err)
	}
	err = client.Check(t.Context(), func(f provider.Finding) error {
		if f.Severity != provider.SeverityWarn {
			t.Errorf("severity %q", f.Severity)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	response, err := client.Token(t.Context(), provider.TokenRequest{})
	if err != nil || response.Token.Issued.Year() != 1970 || response.Token.Expires.Year() != 9999 {
		t.Errorf("impossible times became %v", response.Token)
	}
}

// Whoever prints or keeps messages can clear what is marked debug_redact: then no
// secret may be left.
func TestSecretsTravelInMarkedFieldsOnly(t *testing.T) {
	checked := 0
	spy := func(_ context.Context, _ string, req, reply any, _ *grpc.ClientConn, _ grpc.UnaryInvoker, _ ...grpc.CallOption) error {
		message := proto.Clone(req.(proto.Message))
		clearMarked(message.ProtoReflect())
		data, err := proto.Marshal(message)
		if err != nil {
			return err
		}
		if bytes.Contains(data, []byte(planted)) {
			t.Errorf("%T has a secret in an unmarked field", req)
		}
		checked++
		return errors.New("enough")
	}
	client := connect(t, &full{}, grpc.WithUnaryInterceptor(spy))
	ctx := t.Context()
	_, _ = client.Configure(ctx, provider.Settings{"api_key": provider.NewSecret(planted)})
	_, _ = client.Refresh(ctx, filled[provider.Credential](t))
	_, _ = client.Verify(ctx, provider.NewSecret(planted))
	_, _ = client.Token(ctx, filled[provider.TokenRequest](t))
	_, _ = client.Members(ctx, filled[provider.TeamRequest](t))
	if checked != 5 {
		t.Errorf("%d calls were seen", checked)
	}
}

func clearMarked(m protoreflect.Message) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Options().(*descriptorpb.FieldOptions).GetDebugRedact():
			m.Clear(field)
		case field.IsMap() || field.Kind() != protoreflect.MessageKind:
		case field.IsList():
			for i := range value.List().Len() {
				clearMarked(value.List().Get(i).Message())
			}
		default:
			clearMarked(value.Message())
		}
		return true
	})
}
