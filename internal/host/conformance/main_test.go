package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/zen-auth/zen/core/plugin"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
)

// The test binary is also every provider of these tests: it is linked as zen-provider-NAME,
// and NAME selects the defect.
func TestMain(m *testing.M) {
	name, ok := strings.CutPrefix(strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe"), "zen-provider-")
	if !ok {
		callLimit = 3 * time.Second
		os.Exit(m.Run())
	}
	if be := bad[name].be; be != nil {
		be()
	} else {
		plugin.Serve(&example{name: name})
	}
	syscall.Exit(0) // os.Exit takes a second under the race detector
}

// hang blocks for longer than any check waits.
func hang() { time.Sleep(time.Hour) }

// bad maps the names of providers to their behaviour and the check that each must fail.
var bad = map[string]struct {
	check string
	want  string // in the detail
	be    func()
}{
	"older":  {be: func() { plugin.Serve(newOlder("older")) }},
	"bare":   {be: func() { bare{name: "bare"}.serve() }}, // correct, but without the SDK
	"greasy": {be: func() { bare{name: "greasy", unary: greasyUnary, stream: greasyStream}.serve() }},
	"rubbish": {"handshake", "fields", func() {
		fmt.Println("debug: starting")
		hang()
	}},
	"mute": {"handshake", "without printing its line", func() {}},
	"plain": {"handshake", "field 6", func() {
		fmt.Printf("1|1|unix|%s/s|grpc|\n", os.Getenv("PLUGIN_UNIX_SOCKET_DIR"))
		hang()
	}},
	"elsewhere": {"handshake", "field 4", func() {
		fmt.Println("1|1|unix|/tmp/elsewhere/s|grpc|AAAA")
		hang()
	}},
	"trusting": {"refusal", "without the cookie, it prints", func() {
		if os.Getenv(handshake.CookieKey) == "" {
			fmt.Println("1|1|unix|/tmp/s|grpc|AAAA")
			hang()
		}
		plugin.Serve(&example{name: "trusting"})
	}},
	"lingering": {"refusal", "without PLUGIN_CLIENT_CERT, it keeps", func() {
		if os.Getenv("PLUGIN_CLIENT_CERT") == "" {
			hang()
		}
		plugin.Serve(&example{name: "lingering"})
	}},
	"late": {be: func() {
		if os.Getenv("PLUGIN_CLIENT_CERT") == "" {
			time.Sleep(4 * time.Second) // as long as an interpreter may take to start on a busy machine
		}
		syscall.Exit(1)
	}},
	"future": {"versions", "offered 99,1, it answers with", func() {
		if strings.Contains(os.Getenv("PLUGIN_PROTOCOL_VERSIONS"), "99") {
			fmt.Println("1|99|unix|/tmp/s|grpc|AAAA")
			hang()
		}
		plugin.Serve(&example{name: "future"})
	}},
	"open":   {"tls", "another certificate is accepted", func() { bare{name: "open", open: true}.serve() }},
	"sick":   {"health", "provide grpc.health", func() { bare{name: "sick", noHealth: true}.serve() }},
	"fickle": {"describe", "differ", func() { plugin.Serve(&example{name: "fickle", fickle: true}) }},
	"slow":   {"describe", "fastest", func() { plugin.Serve(&example{name: "slow", slow: 150 * time.Millisecond}) }},
	"sloppy": {"schema", "must consist of lower-case letters", func() {
		plugin.Serve(&example{name: "sloppy", fields: []provider.Field{{Key: "API-Key", Sensitive: true, Default: "x"}}})
	}},
	"somebody": {"schema", "says that the name is", func() { plugin.Serve(&example{name: "else"}) }},
	"chatty": {"offline", "connections to the proxy", func() {
		plugin.Serve(&example{name: "chatty", configure: func() {
			client := http.Client{Timeout: time.Second}
			if r, err := client.Get("http://example.invalid/"); err == nil {
				_ = r.Body.Close()
			}
		}})
	}},
	"dialing": {"offline", "without a network", func() {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		plugin.Serve(&example{name: "dialing", configure: func() {
			if err != nil {
				panic("no network")
			}
			conn, err := net.Dial("tcp", listener.Addr().String()) // not through a proxy
			if err != nil {
				panic("no network")
			}
			_ = conn.Close()
		}})
	}},
	"lax":   {"settings", "is accepted", func() { plugin.Serve(&example{name: "lax", lax: true}) }},
	"rigid": {"unknown", "unknown field", func() { bare{name: "rigid", unary: rigid}.serve() }},
	"boastful": {"unimplemented", "is UNIMPLEMENTED", func() {
		bare{name: "boastful", without: "zen.provider.v1.Identity"}.serve()
	}},
	"greedy":  {"large", "are accepted", func() { bare{name: "greedy", greedy: true}.serve() }},
	"racy":    {"concurrency", "with 31 others", func() { plugin.Serve(&example{name: "racy", racy: true}) }},
	"hasty":   {"login", "without a stored result", func() { plugin.Serve(&example{name: "hasty", login: hasty}) }},
	"twice":   {"login", "did not accept the result", func() { plugin.Serve(&example{name: "twice", login: heedless}) }},
	"hog":     {"cancellation", "sends no request", func() { plugin.Serve(&example{name: "hog", login: hog()}) }},
	"stuck":   {"deadline", "exceeded its deadline", func() { plugin.Serve(&example{name: "stuck", stuck: true}) }},
	"expired": {"token", "expired at", func() { plugin.Serve(&example{name: "expired", life: -time.Minute}) }},
	"liar":    {"token", "claim exp", func() { plugin.Serve(&example{name: "liar", life: 2 * time.Hour}) }},
	"impostor": {"assertion", "not for the audience", func() {
		plugin.Serve(&example{name: "impostor", audience: "https://other.example"})
	}},
	"mumbling": {"findings", "its id must", func() {
		plugin.Serve(&example{name: "mumbling", finding: provider.Finding{ID: "My Finding", Severity: provider.SeverityOK, Text: "fine"}})
	}},
	"eager": {"findings", "a repair that was not offered", func() {
		plugin.Serve(&example{name: "eager", fix: func(provider.FixRequest) error { return nil }})
	}},
	"careless": {"findings", "without an answer", func() {
		plugin.Serve(&example{name: "careless", fix: func(req provider.FixRequest) error {
			if req.ID != "template" {
				return provider.ErrConfig
			}
			return nil
		}})
	}},
	"climber": {"setup", "not relative", func() { plugin.Serve(&example{name: "climber", path: "../../.profile"}) }},
	"obliging": {"team", "the removal of an unknown member succeeds", func() {
		plugin.Serve(&example{name: "obliging", remove: func(string) error { return nil }})
	}},
	"doubled": {"team", "no unique id", func() {
		plugin.Serve(&example{name: "doubled", members: []provider.Member{{ID: "m1"}, {ID: "m1"}}})
	}},
	"torn": {"organizations", "active at once", func() {
		plugin.Serve(&example{name: "torn", memberships: []provider.Membership{
			{Organization: provider.Organization{ID: "o1"}, Active: true}, {Organization: provider.Organization{ID: "o2"}, Active: true},
		}})
	}},
	"nosy": {"login", "non-interactive, but asks for ask", func() {
		plugin.Serve(&example{name: "nosy", login: func(ctx context.Context, host provider.Host) error {
			_, err := host.Ask(ctx, "who are you")
			return errors.Join(err, &provider.Error{Kind: provider.ErrConfig, Message: "no such method"})
		}})
	}},
	"stubborn": {"stop", "is still running", func() {
		plugin.Serve(&example{name: "stubborn"})
		hang()
	}},
	"littering": {"stop", "processes that it started", func() {
		self, err := os.Executable()
		check1(err)
		check1((&exec.Cmd{Path: self, Args: []string{"zen-provider-hanging"}}).Start())
		plugin.Serve(&example{name: "littering"})
	}},
	"hanging":      {be: hang},
	"uncontrolled": {"stop", "GRPCController", func() { bare{name: "uncontrolled", noController: true}.serve() }},
	"runaway": {"parent", "still running", func() {
		outlive()
		plugin.Serve(&example{name: "runaway"})
	}},
	"vague": {"errors", "without a google.rpc.ErrorInfo", func() { bare{name: "vague", unary: vague}.serve() }},
	"mixed": {"errors", "comes with", func() { bare{name: "mixed", unary: mixed}.serve() }},
	"believer": {"errors", "made-up token", func() {
		plugin.Serve(&example{name: "believer", verify: func(string) error { return nil }})
	}},
	"loud": {"secrets", "what it prints", func() {
		plugin.Serve(&example{name: "loud", verify: func(token string) error {
			fmt.Println("verifying", token)
			return provider.ErrTokenInvalid
		}})
	}},
	"blunt": {"secrets", "the error of Identity/Verify", func() {
		plugin.Serve(&example{name: "blunt", verify: func(token string) error {
			return &provider.Error{Kind: provider.ErrTokenInvalid, Message: "bad token " + token}
		}})
	}},
	"noisy": {"secrets", "standard error", func() {
		plugin.Serve(&example{name: "noisy", verify: func(token string) error {
			plugin.Logger().Info("verify", "token", token)
			return provider.ErrTokenInvalid
		}})
	}},
}

// example is a correct provider, unless its fields give it a defect.
type example struct {
	name      string
	fields    []provider.Field
	fickle    bool
	slow      time.Duration
	configure func()
	lax       bool
	racy      bool
	login     func(ctx context.Context, host provider.Host) error
	stuck     bool
	life      time.Duration
	verify    func(token string) error
	audience  string
	finding   provider.Finding
	fix       func(provider.FixRequest) error
	path      string

	members     []provider.Member
	remove      func(id string) error
	memberships []provider.Membership

	mu         sync.Mutex
	calls, now atomic.Int64
}

func (e *example) Describe(context.Context) (provider.Description, error) {
	time.Sleep(e.slow)
	d := provider.Description{
		Name: e.name, Version: "1.0.0", Summary: "an example",
		Methods:    []provider.Method{{Name: "none", Doc: "without asking anybody", Interaction: provider.InteractionNone}},
		Assertions: []provider.AssertionKind{provider.AssertionJWT},
		Needs:      &provider.AssertionNeed{Kinds: []provider.AssertionKind{provider.AssertionJWT}, AudienceField: "lifetime"},
		Fields: append([]provider.Field{
			{Key: "lifetime", Type: provider.TypeDuration, Default: "1h", Doc: "how long a token lives"},
			{Key: "api_key", Type: provider.TypeString, Sensitive: true, Doc: "a key"},
		}, e.fields...),
	}
	if e.fickle {
		d.Version = fmt.Sprint(e.calls.Add(1))
	}
	return d, nil
}

func (e *example) Configure(_ context.Context, settings provider.Settings) ([]provider.Note, error) {
	if e.configure != nil {
		e.configure()
	}
	if _, err := time.ParseDuration(settings.Get("lifetime")); err != nil && !e.lax {
		return nil, &provider.Error{Kind: provider.ErrConfig, Message: "lifetime is not a duration"}
	}
	return nil, nil
}

func (e *example) Check(_ context.Context, _ provider.CheckRequest, report func(provider.Finding) error) (*provider.Credential, error) {
	if e.finding.ID != "" {
		return nil, report(e.finding)
	}
	return nil, errors.Join(
		report(provider.Finding{ID: "mood", Severity: provider.SeverityOK, Text: "fine"}),
		report(provider.Finding{
			ID: "template", Severity: provider.SeverityError, Kind: provider.ErrConfig, Text: "there is no template",
			Cause: "nobody made one", Hint: "make one",
			Fix: &provider.Fix{ID: "template", Text: "make the template", Questions: []provider.Question{
				{Key: "secret_key", Text: "the secret key", Env: []string{"EXAMPLE_SECRET_KEY"}},
			}},
		}))
}

func (e *example) Fix(_ context.Context, req provider.FixRequest, report func(provider.Progress) error) (*provider.Credential, error) {
	switch {
	case e.fix != nil:
		return nil, e.fix(req)
	case req.ID != "template":
		return nil, &provider.Error{Kind: provider.ErrConfig, Message: "there is no such repair"}
	case req.Answers["secret_key"].IsZero():
		return nil, &provider.Error{Kind: provider.ErrConfig, Message: "the secret key is missing"}
	}
	return nil, report(provider.Progress{Text: "made the template", Done: true})
}

func (e *example) Assertion(_ context.Context, req provider.AssertionRequest) (provider.Assertion, *provider.Credential, error) {
	if !slices.Contains(req.Kinds, provider.AssertionJWT) {
		return provider.Assertion{}, nil, &provider.Error{Kind: provider.ErrPermission, Message: "there is no such kind"}
	}
	if e.audience != "" {
		req.Audience = e.audience
	}
	expires := time.Now().Add(time.Minute)
	return provider.Assertion{
		Kind: provider.AssertionJWT, Expires: expires,
		Value: provider.NewSecret(unsigned(map[string]any{"sub": "nobody", "aud": req.Audience, "exp": expires.Unix()})),
	}, nil, nil
}

func (e *example) Database(context.Context, provider.LookupRequest) (provider.Database, *provider.Credential, error) {
	return provider.Database{}, nil, &provider.Error{Kind: provider.ErrConfig, Message: "there is no such database"}
}

func (e *example) Databases(context.Context, provider.LookupRequest, func(provider.Database) error) (*provider.Credential, error) {
	return nil, nil
}

func (e *example) Setup(_ context.Context, req provider.SetupRequest) (provider.Setup, error) {
	setup := provider.Setup{
		Endpoints: []string{"https://example.invalid"},
		Steps:     []provider.SetupStep{{Title: "make the template", Text: "with these claims:\n\n\t" + req.Template}},
		Topics:    []provider.SetupTopic{{Name: "page", Doc: "a page"}},
	}
	switch req.Topic {
	case "":
	case "page":
		setup.Files = []provider.SetupFile{{Path: cmp.Or(e.path, "app/page.tsx"), Doc: "the page", Text: "export default null\n"}}
	default:
		return provider.Setup{}, &provider.Error{Kind: provider.ErrConfig, Message: "there is no such topic"}
	}
	return setup, nil
}

// errNothing has no kind, since it isn't the caller's fault.
var errNothing = errors.New("there is no such thing")

func (e *example) Members(context.Context, provider.TeamRequest) ([]provider.Member, *provider.Credential, error) {
	if e.members != nil {
		return e.members, nil, nil
	}
	return []provider.Member{{ID: "m1", Email: "a@example.test", Role: "admin", Since: time.Now()}, {ID: "m2"}}, nil, nil
}

func (e *example) Invitations(context.Context, provider.TeamRequest) ([]provider.Invitation, *provider.Credential, error) {
	return []provider.Invitation{{ID: "i1", Email: "b@example.test", Status: "pending"}}, nil, nil
}

func (e *example) Invite(_ context.Context, _ provider.TeamRequest, i provider.Invite) (provider.Invitation, *provider.Credential, error) {
	if i.Email == "" {
		return provider.Invitation{}, nil, errNothing
	}
	return provider.Invitation{ID: "i2", Email: i.Email, Status: "pending"}, nil, nil
}

func (e *example) RevokeInvitation(context.Context, provider.TeamRequest, string) (*provider.Credential, error) {
	return nil, errNothing
}

func (e *example) RemoveMember(_ context.Context, _ provider.TeamRequest, id string) (*provider.Credential, error) {
	if e.remove != nil {
		return nil, e.remove(id)
	}
	return nil, errNothing
}

func (e *example) ChangeRole(context.Context, provider.TeamRequest, string, string) (provider.Member, *provider.Credential, error) {
	return provider.Member{}, nil, errNothing
}

func (e *example) Organizations(context.Context, provider.TeamRequest) ([]provider.Membership, *provider.Credential, error) {
	if e.memberships != nil {
		return e.memberships, nil, nil
	}
	return []provider.Membership{{Organization: provider.Organization{ID: "o1", Slug: "acme"}, Name: "Acme", Active: true}, {Organization: provider.Organization{ID: "o2"}}}, nil, nil
}

func (e *example) UseOrganization(context.Context, provider.TeamRequest) (provider.Membership, *provider.Credential, error) {
	return provider.Membership{}, nil, &provider.Error{Kind: provider.ErrPermission, Message: "you are in no such organization"}
}

func (e *example) Login(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	if e.login != nil {
		return e.login(ctx, host)
	}
	if req.Method != "" && req.Method != "none" {
		return &provider.Error{Kind: provider.ErrConfig, Message: "no such method"}
	}
	if err := host.Progress(ctx, "signing in"); err != nil {
		return err
	}
	return host.Store(ctx, signedIn())
}

func signedIn() provider.SignIn {
	return provider.SignIn{Credential: provider.Credential{Data: provider.NewSecret("a-credential-of-the-example")}}
}

func (e *example) Refresh(context.Context, provider.Credential) (provider.Credential, error) {
	return provider.Credential{}, &provider.Error{Kind: provider.ErrRejected, Message: "the credential is not one of mine"}
}

func (e *example) Verify(_ context.Context, token provider.Secret) (provider.Claims, error) {
	if e.racy {
		defer e.now.Add(-1)
		if e.now.Add(1) > 1 {
			return provider.Claims{}, provider.ErrUnavailable
		}
		time.Sleep(time.Millisecond)
	}
	if e.verify != nil {
		return provider.Claims{}, e.verify(token.Reveal())
	}
	return provider.Claims{}, &provider.Error{Kind: provider.ErrTokenInvalid, Message: "the token is not a JWT"}
}

func (e *example) Revoke(context.Context, provider.Credential) error { return nil }

func (e *example) Token(ctx context.Context, req provider.TokenRequest) (provider.TokenResponse, error) {
	if e.stuck {
		e.mu.Lock() // never unlocked
		<-ctx.Done()
		return provider.TokenResponse{}, ctx.Err()
	}
	now := time.Now()
	life := time.Hour
	if e.life != 0 {
		life = e.life
	}
	return provider.TokenResponse{Token: provider.Token{
		Value: provider.NewSecret(jwt(now.Add(time.Hour), req.Access)), Issued: now, Expires: now.Add(life),
	}}, nil
}

// older is a provider with the services that existed first.
type older struct {
	provider.Provider
	provider.Identity
	provider.TokenSource
}

func newOlder(name string) older {
	e := &example{name: name}
	return older{oldDescription{e}, e, e}
}

// oldDescription leaves out what those versions couldn't describe.
type oldDescription struct{ *example }

func (o oldDescription) Describe(ctx context.Context) (provider.Description, error) {
	d, err := o.example.Describe(ctx)
	d.Assertions, d.Needs, d.Methods[0].Interaction = nil, nil, ""
	return d, err
}

func (o oldDescription) Check(_ context.Context, _ provider.CheckRequest, report func(provider.Finding) error) (*provider.Credential, error) {
	return nil, report(provider.Finding{ID: "mood", Severity: provider.SeverityOK, Text: "fine"})
}

func hasty(context.Context, provider.Host) error { return nil }

// heedless ignores the host's answer to Store.
func heedless(ctx context.Context, host provider.Host) error {
	_ = host.Store(ctx, signedIn())
	return nil
}

// hog serves the first login alone; later ones block, even after it is over.
func hog() func(context.Context, provider.Host) error {
	var taken atomic.Bool
	return func(ctx context.Context, host provider.Host) error {
		if taken.Swap(true) {
			<-ctx.Done()
			return ctx.Err()
		}
		return host.OpenURL(ctx, "https://example.invalid", "")
	}
}

// rigid refuses requests with unknown fields.
func rigid(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if len(req.(proto.Message).ProtoReflect().GetUnknown()) > 0 {
		return nil, status.Error(codes.InvalidArgument, "unknown field")
	}
	return handle(ctx, req)
}

// vague returns errors without a reason.
func vague(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	reply, err := handle(ctx, req)
	if err != nil {
		err = errors.New("something went wrong")
	}
	return reply, err
}

// mixed returns the right reasons with wrong codes.
func mixed(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	reply, err := handle(ctx, req)
	if err == nil {
		return reply, nil
	}
	s := status.Convert(err).Proto()
	s.Code = int32(codes.Unknown)
	return nil, status.ErrorProto(s)
}
