package wire_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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
	cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) }),
	cmp.Comparer(func(a, b provider.Secret) bool { return a.Reveal() == b.Reveal() }),
	cmpopts.EquateEmpty(),
}

const planted = "planted-s3cret"

// filled returns a T with every field set, each to another value, so that a forgotten
// conversion is noticed.
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
		v.Set(reflect.ValueOf(provider.NewSecret(fmt.Sprintf("%s-%dü", planted, *n))))
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
	case provider.Interaction:
		v.Set(reflect.ValueOf(provider.InteractionDevice))
		return
	}
	if v.Type() == reflect.TypeFor[error]() {
		v.Set(reflect.ValueOf(provider.ErrRejected))
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
		t.Fatalf("fill: unknown type %v", v.Type())
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
		memberships: filled[[]provider.Membership](t),
		assertion:   filled[provider.Assertion](t),
		databases:   filled[[]provider.Database](t),
		setup:       filled[provider.Setup](t),
		progress:    filled[[]provider.Progress](t),
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
	want.Services = []provider.Service{
		provider.ServiceIdentity, provider.ServiceTokenSource, provider.ServiceAssertion, provider.ServiceLookup,
		provider.ServiceSetup, provider.ServiceTeam, provider.ServiceOrganizations,
	}
	same("description", err, want, description)

	settings := provider.Settings{"key": provider.NewSecret("value"), "empty": {}}
	notes, err := client.Configure(ctx, settings)
	same("notes", err, f.notes, notes)
	same("settings", nil, settings, f.configured)

	var findings []provider.Finding
	check := filled[provider.CheckRequest](t)
	next, err := client.Check(ctx, check, func(f provider.Finding) error { findings = append(findings, f); return nil })
	same("findings", err, f.findings, findings)
	same("checked", nil, check, f.gotCheck)
	same("credential after Check", nil, &f.credential, next)
	var progress []provider.Progress
	fix := filled[provider.FixRequest](t)
	next, err = client.Fix(ctx, fix, func(p provider.Progress) error { progress = append(progress, p); return nil })
	same("progress", err, f.progress, progress)
	same("fixed", nil, fix, f.gotFix)
	same("credential after Fix", nil, &f.credential, next)

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

	f.gotCredential = provider.Credential{}
	page, err := client.EndSessionURL(ctx, credential)
	same("end of session", err, "https://login.example/logout", page)
	same("ended", nil, credential, f.gotCredential)

	request := filled[provider.TokenRequest](t)
	response, err := client.Token(ctx, request)
	same("token response", err, f.response, response)
	same("token request", nil, request, f.gotRequest)

	assert := filled[provider.AssertionRequest](t)
	assertion, next, err := client.Assertion(ctx, assert)
	same("assertion", err, f.assertion, assertion)
	same("assertion request", nil, assert, f.gotAssertion)
	same("credential after Assertion", nil, &f.credential, next)

	lookup := filled[provider.LookupRequest](t)
	database, next, err := client.Database(ctx, lookup)
	same("database", err, f.databases[0], database)
	same("looked up", nil, lookup, f.gotLookup)
	same("credential after Database", nil, &f.credential, next)
	var databases []provider.Database
	next, err = client.Databases(ctx, lookup, func(d provider.Database) error { databases = append(databases, d); return nil })
	same("databases", err, f.databases, databases)
	lookup.Name = ""
	same("listed", nil, lookup, f.gotLookup)
	same("credential after Databases", nil, &f.credential, next)

	guide := filled[provider.SetupRequest](t)
	setup, err := client.Setup(ctx, guide)
	same("setup", err, f.setup, setup)
	same("setup request", nil, guide, f.gotSetup)
}

func TestEveryFieldOfATeamCrosses(t *testing.T) {
	f := &full{
		credential:  filled[provider.Credential](t),
		members:     filled[[]provider.Member](t),
		invitations: filled[[]provider.Invitation](t),
		memberships: filled[[]provider.Membership](t),
	}
	client, ctx := connect(t, f), t.Context()
	team := filled[provider.TeamRequest](t)
	same := func(what string, next *provider.Credential, err error, want, got any, args ...string) {
		t.Helper()
		if err != nil || next == nil || !cmp.Equal(f.credential, *next, compare) || !cmp.Equal(team, f.gotTeam, compare) {
			t.Errorf("%s: %v, %v for %v", what, err, next, f.gotTeam)
		}
		if diff := cmp.Diff(want, got, compare); diff != "" {
			t.Errorf("%s (-sent +received):\n%s", what, diff)
		}
		if diff := cmp.Diff(args, f.gotArgs, compare); diff != "" {
			t.Errorf("%s (-sent +received):\n%s", what, diff)
		}
		f.gotTeam, f.gotArgs = provider.TeamRequest{}, nil
	}
	members, next, err := client.Members(ctx, team)
	same("members", next, err, f.members, members)
	invitations, next, err := client.Invitations(ctx, team)
	same("invitations", next, err, f.invitations, invitations)
	invite := filled[provider.Invite](t)
	invitation, next, err := client.Invite(ctx, team, invite)
	same("invitation", next, err, f.invitations[0], invitation)
	if diff := cmp.Diff(invite, f.gotInvite, compare); diff != "" {
		t.Errorf("invite (-sent +received):\n%s", diff)
	}
	next, err = client.RevokeInvitation(ctx, team, "inv_1")
	same("revoke", next, err, nil, nil, "inv_1")
	next, err = client.RemoveMember(ctx, team, "user_1")
	same("remove", next, err, nil, nil, "user_1")
	member, next, err := client.ChangeRole(ctx, team, "user_1", "admin")
	same("role", next, err, f.members[0], member, "user_1", "admin")
	memberships, next, err := client.Organizations(ctx, team)
	same("organizations", next, err, f.memberships, memberships)
	membership, next, err := client.UseOrganization(ctx, team)
	same("use", next, err, f.memberships[0], membership)
}

// A replaced credential is returned even with an error; without it, it would be lost.
func TestReplacedCredentialsSurviveErrors(t *testing.T) {
	f := &full{
		credential: filled[provider.Credential](t), members: make([]provider.Member, 1), invitations: make([]provider.Invitation, 1),
		memberships: make([]provider.Membership, 1), databases: make([]provider.Database, 1),
		fail: func(context.Context) error {
			return &provider.Error{Kind: provider.ErrPermission, Message: "not you", Hint: "ask"}
		},
	}
	client, ctx := connect(t, f), t.Context()
	for name, call := range map[string]func() (*provider.Credential, error){
		"Check": func() (*provider.Credential, error) {
			return client.Check(ctx, provider.CheckRequest{}, func(provider.Finding) error { return nil })
		},
		"Fix": func() (*provider.Credential, error) {
			return client.Fix(ctx, provider.FixRequest{}, func(provider.Progress) error { return nil })
		},
		"Assertion": func() (*provider.Credential, error) {
			_, c, err := client.Assertion(ctx, provider.AssertionRequest{})
			return c, err
		},
		"Database": func() (*provider.Credential, error) {
			_, c, err := client.Database(ctx, provider.LookupRequest{})
			return c, err
		},
		"Databases": func() (*provider.Credential, error) {
			return client.Databases(ctx, provider.LookupRequest{}, func(provider.Database) error { return nil })
		},
		"Members": func() (*provider.Credential, error) {
			_, c, err := client.Members(ctx, provider.TeamRequest{})
			return c, err
		},
		"RemoveMember": func() (*provider.Credential, error) {
			return client.RemoveMember(ctx, provider.TeamRequest{}, "")
		},
		"UseOrganization": func() (*provider.Credential, error) {
			_, c, err := client.UseOrganization(ctx, provider.TeamRequest{})
			return c, err
		},
	} {
		next, err := call()
		if !errors.Is(err, provider.ErrPermission) || err.Error() != "not you" || provider.Hint(err) != "ask" {
			t.Errorf("%s: %v, want the provider's error", name, err)
		}
		if next == nil || !cmp.Equal(f.credential, *next, compare) {
			t.Errorf("%s: the credential became %v", name, next)
		}
	}
}

// An earlier version of a provider sends fewer fields, and an earlier host sends fewer
// requests.
func TestEarlierVersionsAreTolerated(t *testing.T) {
	f := &full{}
	conn := dial(t, func(s *grpc.Server) { wire.Register(s, f) })
	stream, err := pb.NewProviderClient(conn).Check(t.Context(), &pb.CheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("a check without findings sent a message: %v", err)
	}
	if diff := cmp.Diff(provider.CheckRequest{}, f.gotCheck, compare); diff != "" {
		t.Errorf("an empty CheckRequest: %s", diff)
	}

	client := wire.NewClient(dial(t, func(s *grpc.Server) { pb.RegisterProviderServer(s, old{}) }), nil)
	description, err := client.Describe(t.Context())
	if err != nil || description.Needs != nil || description.Assertions != nil ||
		description.Methods[0].Interaction != "" || description.Methods[0].IdentityOnly {
		t.Errorf("description %+v, %v", description, err)
	}
	_, err = client.Check(t.Context(), filled[provider.CheckRequest](t), func(f provider.Finding) error {
		if f.ID != "mood" || f.Kind != nil || f.Fix != nil {
			t.Errorf("finding %+v", f)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	_, fix := client.Fix(t.Context(), provider.FixRequest{}, nil)
	_, _, assertion := client.Assertion(t.Context(), provider.AssertionRequest{})
	_, _, database := client.Database(t.Context(), provider.LookupRequest{})
	_, databases := client.Databases(t.Context(), provider.LookupRequest{}, nil)
	_, setup := client.Setup(t.Context(), provider.SetupRequest{})
	_, _, organizations := client.Organizations(t.Context(), provider.TeamRequest{})
	for call, err := range map[string]error{
		"Fix": fix, "Assertion": assertion, "Database": database, "Databases": databases, "Setup": setup, "Organizations": organizations,
	} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v, want ErrUnsupported", call, err)
		}
	}
}

// old is a provider of an early version, without later services and fields.
type old struct{ pb.UnimplementedProviderServer }

func (old) Describe(context.Context, *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	return &pb.DescribeResponse{Name: "old", Methods: []*pb.Method{{Name: "browser"}}}, nil
}

func (old) Check(_ *pb.CheckRequest, s grpc.ServerStreamingServer[pb.CheckResponse]) error {
	return s.Send(&pb.CheckResponse{Finding: &pb.Finding{Id: "mood", Severity: pb.Severity_SEVERITY_OK}})
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
			t.Errorf("%s: %v, want ErrConfig", call, err)
		}
	}
}

// future is a provider of a later version.
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
	return s.Send(&pb.CheckResponse{Finding: &pb.Finding{Id: "n", Severity: 99}})
}

func (future) Token(context.Context, *pb.TokenRequest) (*pb.TokenResponse, error) {
	return &pb.TokenResponse{Token: &pb.Token{
		Issued:  &timestamppb.Timestamp{Seconds: -1 << 62},
		Expires: &timestamppb.Timestamp{Seconds: 1 << 62, Nanos: -1},
	}}, nil
}

// endless reports findings without end.
type endless struct {
	pb.UnimplementedProviderServer
}

func (endless) Check(_ *pb.CheckRequest, stream grpc.ServerStreamingServer[pb.CheckResponse]) error {
	for {
		if err := stream.Send(&pb.CheckResponse{Finding: &pb.Finding{Id: "again"}}); err != nil {
			return err
		}
	}
}

func TestFindingsEnd(t *testing.T) {
	client := wire.NewClient(dial(t, func(s *grpc.Server) { pb.RegisterProviderServer(s, endless{}) }), nil)
	n := 0
	_, err := client.Check(t.Context(), provider.CheckRequest{}, func(provider.Finding) error { n++; return nil })
	if err == nil || n != 1000 {
		t.Errorf("%d findings, %v", n, err)
	}
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
	_, err = client.Check(t.Context(), provider.CheckRequest{}, func(f provider.Finding) error {
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

// The fields marked debug_redact can be cleared before a message is printed or stored; no
// secret may be left then.
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
			t.Errorf("%T contains a secret in an unmarked field", req)
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
	_, _, _ = client.Members(ctx, filled[provider.TeamRequest](t))
	_, _, _ = client.Assertion(ctx, filled[provider.AssertionRequest](t))
	_, _, _ = client.Database(ctx, filled[provider.LookupRequest](t))
	if checked != 7 {
		t.Errorf("%d calls were checked, want 7", checked)
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
