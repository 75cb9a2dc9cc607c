package cli

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/auth0"
	"github.com/zen-auth/zen/devstack/ci"
	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/devstack/oidc"
	"github.com/zen-auth/zen/devstack/turso"
)

// signIns are the ways to sign in other than Clerk's default, with the id of the finding for
// each fault of their issuer.
var signIns = []struct {
	name    string
	login   []string
	environ func(*testing.T, *devstack.Stack) []string
	causes  map[string]string
}{
	{"auth0", []string{"--provider", "auth0"}, with(), map[string]string{
		auth0.FaultUnavailable: "issuer.key-set", auth0.FaultRateLimited: "auth0.device", auth0.FaultJWKSUnavailable: "issuer.key-set",
		auth0.FaultKeyUnpublished: "auth0.token", auth0.FaultCallbackMismatch: "auth0.callbacks", auth0.FaultActionMissing: "auth0.token",
		auth0.FaultOpaqueToken: "auth0.token", auth0.FaultWrongIssuer: "auth0.token", auth0.FaultAnswerLost: "auth0.token",
		auth0.FaultRefreshRevoked: "auth0.token", auth0.FaultRefreshReused: "auth0.token", auth0.FaultClockAhead: "auth0.token",
		auth0.FaultWrongAudience: "auth0.token", auth0.FaultOtherDialect: "auth0.token", auth0.FaultSenderConstrained: "auth0.token",
		auth0.FaultSymmetric: "auth0.token", auth0.FaultDeviceOff: "auth0.device",
	}},
	{"auth0 machine", []string{"--provider", "auth0", "--method", "client-credentials"}, with(), map[string]string{
		auth0.FaultMachineActionMissing: "auth0.token", auth0.FaultGrantMissing: "auth0.token", auth0.FaultSecretWrong: "auth0.token",
		auth0.FaultRateLimited: "auth0.token", auth0.FaultOpaqueToken: "auth0.token", auth0.FaultUnavailable: "issuer.key-set",
		auth0.FaultSenderConstrained: "auth0.token", auth0.FaultWrongIssuer: "auth0.token",
	}},
	{"auth0 machine with a key", []string{"--provider", "auth0", "--method", "client-credentials"}, machineKey, map[string]string{
		auth0.FaultAssertionReplayed: "auth0.token", auth0.FaultSecretWrong: "auth0.token", auth0.FaultGrantMissing: "auth0.token",
	}},
	{"auth0 organization", []string{"--provider", "auth0", "--org", "acme"}, with("ZEN_AUTH0__CLIENT_ID=" + auth0.DefaultOrgClientID), map[string]string{
		auth0.FaultOrganizationLost: "auth0.token", auth0.FaultCallbackMismatch: "auth0.callbacks", auth0.FaultRefreshRevoked: "auth0.token",
	}},
	{"clerk organization", []string{"--provider", "clerk", "--org", "acme"}, with(), map[string]string{
		clerk.FaultOrganizationLeft: "clerk.organization",
	}},
	{"clerk oauth", []string{"--provider", "clerk", "--method", "oauth"}, with("ZEN_TOKEN_PROVIDER=platformtoken"), map[string]string{
		clerk.FaultOAuthRevoked: "clerk.sign-in", clerk.FaultOAuthAnswerLost: "clerk.sign-in", clerk.FaultSatellite: "clerk.sign-in",
		clerk.FaultUserBanned: "clerk.sign-in", clerk.FaultUnavailable: "clerk.jwks", clerk.FaultRedirectMismatch: "clerk.oauth",
	}},
	{"clerk oauth organization", []string{"--provider", "clerk", "--method", "oauth", "--org", "acme"}, with("ZEN_TOKEN_PROVIDER=platformtoken"), map[string]string{
		clerk.FaultOrganizationLeft: "clerk.sign-in",
	}},
	{"clerk device", []string{"--provider", "clerk", "--method", "device"}, with("ZEN_TOKEN_PROVIDER=platformtoken"), map[string]string{
		clerk.FaultDeviceGrantOff: "clerk.device",
	}},
	{"apikey", []string{"--provider", "apikey"}, with(), map[string]string{
		clerk.FaultAPIKeysDisabled: "apikey.api-key", clerk.FaultAPIKeyUnknown: "apikey.api-key", clerk.FaultAPIKeyRevoked: "apikey.api-key",
		clerk.FaultAPIKeyExpired: "apikey.api-key", clerk.FaultAPIKeyBare: "apikey.api-key",
		clerk.FaultNativeDisabled: "apikey.native-api",
	}},
	{"oidc", []string{"--provider", "oidc"}, with("ZEN_TOKEN_PROVIDER=platformtoken"), map[string]string{
		oidc.FaultUnavailable: "oidc.issuer", oidc.FaultIssuerMismatch: "oidc.issuer", oidc.FaultJWKSUnavailable: "oidc.issuer",
		oidc.FaultKeyUnpublished: "oidc.sign-in", oidc.FaultRefreshRevoked: "oidc.sign-in", oidc.FaultWrongAudience: "oidc.sign-in",
		oidc.FaultUnverifiedEmail: "oidc.sign-in",
		oidc.FaultExpired:         "oidc.sign-in", oidc.FaultRedirect: "oidc.device", oidc.FaultHuge: "oidc.issuer", oidc.FaultNoRefreshToken: "oidc.sign-in",
	}},
	{"oidc device", []string{"--provider", "oidc", "--method", "device"}, with("ZEN_TOKEN_PROVIDER=platformtoken"), map[string]string{
		oidc.FaultDeviceOff: "oidc.device",
	}},
	{"ci", []string{"--provider", "oidc", "--method", "workload"}, with("ZEN_TOKEN_PROVIDER=platformtoken"), map[string]string{
		ci.FaultUnavailable: "oidc.workload", ci.FaultForbidden: "oidc.workload", ci.FaultWrongAudience: "oidc.workload",
		ci.FaultReplayed: "oidc.workload", ci.FaultImmutable: "oidc.workload",
		ci.FaultExpired: "oidc.workload", ci.FaultJWKSUnavailable: "oidc.workload", ci.FaultKeyUnpublished: "oidc.workload",
	}},
}

// with returns a function for signIns that adds these variables to the environment.
func with(variables ...string) func(*testing.T, *devstack.Stack) []string {
	return func(*testing.T, *devstack.Stack) []string { return variables }
}

// machineKey creates a machine application at Auth0 that authenticates with a key.
func machineKey(t *testing.T, stack *devstack.Stack) []string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	id, err := stack.Auth0.AddApplication(auth0.Application{
		Name: "machine with a key", Keys: []auth0.AssertionKey{{ID: "k1", Public: &key.PublicKey}},
		Grants: []auth0.ClientGrant{{Audience: auth0.DefaultAudience, Scopes: []string{auth0.DefaultWriteScope}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"ZEN_AUTH0__MACHINE_CLIENT_ID=" + id, "ZEN_AUTH0__CLIENT_SECRET=",
		"ZEN_AUTH0__PRIVATE_KEY=" + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
	}
}

// commandFaults are the faults that a command runs into without changing the stored sign-in.
// Afterwards the doctor reports the failure, with part of the command's error.
var commandFaults = map[string]struct {
	command []string
	email   bool // the command asks for an e-mail address and the code sent to it
	want    string
	says    string
}{
	clerk.FaultSecondFactor: {[]string{"login", "--provider", "clerk", "--method", "email", "--timeout", "16s"}, true, "signin.login-failed", "authenticator"},
	clerk.FaultClientTrust:  {[]string{"login", "--provider", "clerk", "--method", "email", "--timeout", "16s"}, true, "signin.login-failed", "new device"},
	clerk.FaultProtectCheck: {[]string{"login", "--provider", "clerk", "--method", "email"}, true, "signin.login-failed", "browser"},
	clerk.FaultSSOOnly:      {[]string{"login", "--provider", "clerk", "--method", "email"}, true, "signin.login-failed", "oauth_google"},
	clerk.FaultCodeLimited:  {[]string{"login", "--provider", "clerk", "--method", "email", "--timeout", "16s"}, true, "signin.login-failed", "verification_code_too_many_requests"},

	auth0.FaultNoRefreshToken: {[]string{"login", "--provider", "auth0"}, false, "signin.login-failed", "no refresh token"},
	auth0.FaultSlowDown:       {[]string{"login", "--provider", "auth0", "--method", "device", "--timeout", "16s"}, false, "signin.login-failed", "slow_down"},

	oidc.FaultSlowDown:   {[]string{"login", "--provider", "oidc", "--method", "device", "--timeout", "16s"}, false, "signin.login-failed", "slow_down"},
	oidc.FaultWrongNonce: {[]string{"login", "--provider", "oidc"}, false, "signin.login-failed", "nonce"},

	clerk.FaultTeamForbidden:      {[]string{"team", "invite", "--org", "acme", "carol@example.test"}, false, "signin.team-failed", "missing_organization_permission"},
	clerk.FaultInvitationQuota:    {[]string{"team", "invite", "--org", "acme", "carol@example.test"}, false, "signin.team-failed", "quota"},
	clerk.FaultInvitationsLimited: {[]string{"team", "invite", "--org", "acme", "dan@example.test", "erin@example.test"}, false, "signin.team-failed", "too_many_requests"},

	fault.JWKSRemove500:  {[]string{"jwks", "remove", "auth0"}, false, "turso.jwks.remove-fails", "internal server error"},
	fault.JWKSCountLimit: {[]string{"jwks", "save", "other", "$ZEN_DEV_URL/.well-known/jwks.json"}, false, "turso.jwks.save-fails", "limit(2)"},
}

// slowFaults are the faults of a network that is slow but works.
var slowFaults = map[string]string{fault.Latency: slowNetwork, fault.SlowBody: slowNetwork}

// Each fault of the stack has a finding of the doctor.
func TestEachFaultHasAFinding(t *testing.T) {
	named := maps.Clone(causes)
	maps.Copy(named, rotationFaults)
	maps.Copy(named, slowFaults)
	for _, s := range signIns {
		maps.Copy(named, s.causes)
	}
	for _, f := range devstack.Faults() {
		if f.Name == fault.SocketExpires || f.Name == fault.PollExpires { // the proxy renews the token before other clients run into these
			continue
		}
		if (named[f.Name] == "") == (commandFaults[f.Name].want == "") {
			t.Errorf("%s: want one finding, of the fault or after a command met it; got %q and %q", f.Name, named[f.Name], commandFaults[f.Name].want)
		}
	}
}

func TestDoctorNamesASlowNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("each request takes half a second; make test-all runs it")
	}
	t.Parallel()
	p := newDoctorCase(t)
	for name, want := range slowFaults {
		for _, others := range [][]string{nil, {fault.WritesBlocked}, {clerk.FaultTemplateMissing}} {
			faults := append([]string{name}, others...)
			switchFaults(t, p.stack, true, faults)
			if d := p.ask(t, nil); !d.has(want) || others == nil && d.first() != "" {
				t.Errorf("%q: no finding %q, or another one is the first%s", faults, want, d)
			}
			switchFaults(t, p.stack, false, faults)
		}
	}
}

// rotatingCase is a sign-in whose issuer rotates the stored credential, so that the doctor runs
// on the original state and not on a copy.
type rotatingCase struct {
	*doctorCase
	login []string
}

// newRotatingCase signs in, with an API token for Turso that has the scopes that zen needs.
func newRotatingCase(t *testing.T, stack *devstack.Stack, login, environ []string) *rotatingCase {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	variables, err := stack.Environment(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &rotatingCase{&doctorCase{t: t, stack: stack}, login}
	p.environ = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "BROWSER=zen dev browse --user alice", "CI=", "TERM=xterm")
	for _, v := range variables {
		p.environ = append(p.environ, v.Name+"="+v.Value)
		if v.Name == "ZEN_STATE_DIR" {
			p.state = v.Value
		}
	}
	scoped, err := stack.Turso.CreateAPIToken(devstack.User, turso.APIToken{
		Name: t.Name(), Organization: devstack.Organization, Group: "default", Scopes: []string{"read", "db:mint-token"},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.environ = append(append(p.environ, environ...), "TURSO_API_TOKEN="+scoped)
	p.signIn()
	return p
}

func (p *rotatingCase) signIn() {
	p.t.Helper()
	bin, err := binaries()
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(bin, "zen"), append([]string{"login"}, p.login...)...)
	cmd.Env = p.environ
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("%v\n%s", err, out)
	}
}

// examine runs zen doctor with faults switched on, and without a stored token, which would hide
// that none can be issued.
func (p *rotatingCase) examine(t *testing.T, faults ...string) diagnosis {
	t.Helper()
	has := func(name string) bool { return slices.Contains(faults, name) }
	if slices.ContainsFunc(signInFaults, has) {
		switchFaults(t, p.stack, true, signInFaults)
		p.signIn()
		switchFaults(t, p.stack, false, signInFaults)
	}
	forgetTokens(t, p.state)
	switchFaults(t, p.stack, true, faults)
	d := p.diagnose(t, p.state, nil)
	switchFaults(t, p.stack, false, faults)
	if slices.ContainsFunc(signInFaults, has) || slices.ContainsFunc(endingFaults, has) {
		p.signIn()
	}
	return d
}

// endingFaults are the faults that end the sign-in.
var endingFaults = []string{
	auth0.FaultAnswerLost, auth0.FaultRefreshReused, auth0.FaultRefreshRevoked, oidc.FaultRefreshRevoked,
	clerk.FaultOAuthAnswerLost, clerk.FaultOAuthRevoked, clerk.FaultUserBanned,
}

// signInFaults are the faults that affect the stored sign-in only if they are on during the
// sign-in.
var signInFaults = []string{oidc.FaultNoRefreshToken}

// The doctor doesn't damage a sign-in whose refresh token rotates.
func TestDoctorKeepsTheSignIn(t *testing.T) {
	t.Parallel()
	p := newRotatingCase(t, devstacktest.Start(t, devstack.Options{}), []string{"--provider", "auth0"}, nil)
	for range 2 {
		if d := p.examine(t); d.first() != "" || d.code != 0 {
			t.Fatalf("exit code %d%s", d.code, d)
		}
	}
}

func TestDoctorNamesTheIssuersFault(t *testing.T) {
	if testing.Short() {
		t.Skip("runs long; make test-all runs it")
	}
	stack := devstacktest.Start(t, devstack.Options{CI: "github"})
	// One fault of each of the database's layers is combined with them.
	others := []string{fault.WritesBlocked, fault.TokenNotAllowed, fault.APIDown, fault.BadGateway}
	for _, s := range signIns {
		t.Run(s.name, func(t *testing.T) {
			p := newRotatingCase(t, stack, s.login, s.environ(t, stack))
			if d := p.examine(t); d.first() != "" || d.code != 0 {
				t.Errorf("without a fault: exit code %d%s", d.code, d)
			}
			names := slices.Sorted(maps.Keys(s.causes))
			for i, name := range names {
				if d := p.examine(t, name); !sameCause(d.first(), s.causes[name]) {
					t.Errorf("%s: the first finding is %q, want %q%s", name, d.first(), s.causes[name], d)
				}
				for _, other := range []string{names[(i+3)%len(names)], others[i%len(others)]} {
					if other == name {
						continue
					}
					want := layerOf(s.causes[name])
					if l, ok := causes[other]; ok {
						want = min(want, layerOf(l))
					}
					if d := p.examine(t, name, other); d.first() == "" || layerOf(d.first()) > want {
						t.Errorf("%s and %s: the first finding is %q%s", name, other, d.first(), d)
					}
				}
			}
		})
	}
}
