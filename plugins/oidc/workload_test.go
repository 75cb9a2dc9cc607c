package main

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack/ci"
)

// Each place is detected by its own marks, and asked for a new statement each time, for
// the requested audience. No secret is stored.
func TestWorkload(t *testing.T) {
	b := newBench(t)
	for _, system := range []string{"github", "gitlab", "buildkite", "circleci", "google"} {
		t.Run(system, func(t *testing.T) {
			settings := b.job(system)
			p := configured(t, settings)
			if p.settings.workloadName != system {
				t.Fatalf("detected %q", p.settings.workloadName)
			}
			h := &host{t: t, user: "alice"}
			req := provider.LoginRequest{Method: methodWorkload, Audience: testAudience, AssertionKinds: []provider.AssertionKind{provider.AssertionJWT}}
			if err := p.Login(t.Context(), req, h); err != nil {
				t.Fatalf("Login = %v (hint: %s)", err, provider.Hint(err))
			}
			got := h.stored[0]
			if len(h.opened) != 0 || got.Claims.Issuer != b.CI.Issuer(system) || got.Credential.Subject == "" {
				t.Errorf("signed in as %+v, opened %q", got, h.opened)
			}
			for key, value := range settings {
				if len(value.Reveal()) > 20 && strings.Contains(got.Credential.Data.Reveal(), value.Reveal()) {
					t.Errorf("%s is stored", key)
				}
			}
			seen := map[string]bool{}
			for range 2 {
				assertion, renewed, err := p.Assertion(t.Context(), provider.AssertionRequest{Credential: got.Credential, Audience: testAudience})
				if err != nil || renewed != nil {
					t.Fatalf("Assertion = %v, %v", renewed, err)
				}
				claims, err := p.Verify(t.Context(), assertion.Value)
				if err != nil || !slices.Contains(claims.Audience, testAudience) || !assertion.Expires.Equal(claims.Expires) {
					t.Errorf("the assertion has %+v, %v", claims, err)
				}
				seen[claims.ID] = true
			}
			if again := !slices.Contains([]string{"gitlab", "circleci"}, system); again != (len(seen) == 2) {
				t.Errorf("%d different statements, want 2", len(seen))
			}
			if same, err := p.Refresh(t.Context(), got.Credential); err != nil || !same.Data.Equal(got.Credential.Data) {
				t.Errorf("refresh: %v", err)
			}
			if err := p.Revoke(t.Context(), got.Credential); !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("revoke: %v", err)
			}
			// For an undeclared audience, statements issued in advance are refused, and
			// others requested.
			_, _, err := p.Assertion(t.Context(), provider.AssertionRequest{Credential: got.Credential, Audience: "https://other.example"})
			switch system {
			case "gitlab":
				fails(t, "another audience", err, provider.ErrPermission, "not for \"https://other.example\"", "id_tokens: {ZEN_OIDC__ID_TOKEN: {aud: https://other.example}}")
			case "circleci":
				fails(t, "another audience", err, provider.ErrPermission, "circleci run oidc get")
			default:
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// The issuers of the known places are pinned without a setting: other issuers with the
// same format are refused.
func TestWorkloadIssuerIsPinned(t *testing.T) {
	b := newBench(t)
	for system, issuer := range map[string]string{
		"github": "https://token.actions.githubusercontent.com", "buildkite": "https://agent.buildkite.com", "gitlab": "https://gitlab.com", "google": "https://accounts.google.com",
	} {
		p := configured(t, b.job(system, keyWorkloadIssuer, "", keyGitLabURL, ""))
		err := p.Login(t.Context(), provider.LoginRequest{Method: methodWorkload}, &host{t: t})
		fails(t, system, err, provider.ErrTokenInvalid, "not of \""+issuer+"\"", "workload_issuer")
	}
	for settings, want := range map[string]string{"": "is not set", "org-1": "https://oidc.circleci.com/org/org-1"} {
		p := configured(t, b.job("circleci", keyWorkloadIssuer, "", keyCircleOrg, settings))
		err := p.Login(t.Context(), provider.LoginRequest{Method: methodWorkload}, &host{t: t})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("circleci %q: %v", settings, err)
		}
	}
	p := configured(t, b.job("gitlab", keyWorkloadIssuer, "", keyGitLabURL, "https://gitlab.acme.example"))
	if got := p.settings.workload.issuer(); got != "https://gitlab.acme.example" {
		t.Errorf("a self-hosted GitLab: %q", got)
	}
}

func TestWorkloadFails(t *testing.T) {
	b := newBench(t)
	for _, test := range []struct {
		fault string
		kind  error
		words string
	}{
		{ci.FaultUnavailable, provider.ErrUnavailable, "503"},
		{ci.FaultForbidden, provider.ErrRejected, "id-token: write"},
		{ci.FaultWrongAudience, provider.ErrPermission, "not for"},
		{ci.FaultExpired, provider.ErrTokenExpired, "ended at"},
		{ci.FaultJWKSUnavailable, provider.ErrUnavailable, "503"},
		{ci.FaultKeyUnpublished, provider.ErrTokenInvalid, "of that kid"},
	} {
		b.with(test.fault)
		p := configured(t, b.job("github"))
		err := p.Login(t.Context(), provider.LoginRequest{Method: methodWorkload, Audience: testAudience}, &host{t: t})
		fails(t, test.fault, err, test.kind, test.words)
	}
	b.with()
	// The format of the subject is not checked: GitHub's immutable subjects work, too.
	b.with(ci.FaultImmutable)
	if got, _ := b.login(configured(t, b.job("github")), methodWorkload); !strings.Contains(got.Claims.Subject, "@") {
		t.Errorf("subject %q", got.Claims.Subject)
	}
}

// A file is read on each use, because a kubelet replaces it.
func TestTokenFile(t *testing.T) {
	b := newBench(t)
	path := filepath.Join(t.TempDir(), "token")
	settings := values(map[string]string{keyTokenFile: path, keyWorkloadIssuer: b.CI.Issuer("kubernetes")})
	p := configured(t, settings)
	req := provider.LoginRequest{Method: methodWorkload, Audience: testAudience}
	fails(t, "no file", p.Login(t.Context(), req, &host{t: t}), provider.ErrNoCredential, "is the volume mounted")
	atDirectory := configured(t, values(map[string]string{keyTokenFile: filepath.Dir(path), keyWorkloadIssuer: b.CI.Issuer("kubernetes")}))
	fails(t, "a directory", atDirectory.Login(t.Context(), req, &host{t: t}), provider.ErrNoCredential, filepath.Dir(path)+": is a directory")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"", "hello", "a.b", strings.Repeat("a", maxToken+1), "a.b.c"} {
		write(text)
		fails(t, text[:min(len(text), 10)], p.Login(t.Context(), req, &host{t: t}), provider.ErrTokenInvalid)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done, err := b.CI.KeepFile(ctx, "kubernetes", testAudience, path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); <-done }()
	got, _ := b.login(p, methodWorkload)
	if got.Claims.Subject != "system:serviceaccount:ci:zen" {
		t.Errorf("signed in as %+v", got.Claims)
	}
	_, _, err = p.Assertion(t.Context(), provider.AssertionRequest{Credential: got.Credential, Audience: "https://other.example"})
	fails(t, "another audience", err, provider.ErrPermission, "serviceAccountToken: {audience: https://other.example")
	// Without a configured issuer the file can't be verified.
	fails(t, "no issuer", configured(t, values(map[string]string{keyTokenFile: path})).Login(t.Context(), req, &host{t: t}), provider.ErrConfig, "workload_issuer: it is not set")
}

// agent is the part of a SPIFFE agent that a workload needs to get a JWT-SVID.
type agent struct {
	workload.UnimplementedSpiffeWorkloadAPIServer
	b     *bench
	asked []string
}

func (a *agent) FetchJWTSVID(ctx context.Context, r *workload.JWTSVIDRequest) (*workload.JWTSVIDResponse, error) {
	if md, _ := metadata.FromIncomingContext(ctx); !slices.Equal(md.Get("workload.spiffe.io"), []string{"true"}) {
		return nil, errors.New("the security header is missing")
	}
	a.asked = append(a.asked, r.Audience...)
	token, err := a.b.CI.Token("spiffe", r.Audience[0])
	return &workload.JWTSVIDResponse{Svids: []*workload.JWTSVID{{SpiffeId: "spiffe://acme.example.test/ns/ci/sa/zen", Svid: token}}}, err
}

func TestSPIFFE(t *testing.T) {
	b := newBench(t)
	dir, err := os.MkdirTemp("", "spiffe") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	socket := filepath.Join(dir, "a.sock")
	settings := values(map[string]string{keySPIFFESocket: "unix://" + socket, keyWorkloadIssuer: b.CI.Issuer("spiffe")})
	req := provider.LoginRequest{Method: methodWorkload, Audience: testAudience}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	fails(t, "no agent", configured(t, settings).Login(ctx, req, &host{t: t}), provider.ErrUnavailable, "SPIFFE Workload API")

	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{b: b}
	server := grpc.NewServer()
	workload.RegisterSpiffeWorkloadAPIServer(server, a)
	served := make(chan error)
	go func() { served <- server.Serve(listener) }()
	defer func() { server.Stop(); <-served }()
	p := configured(t, settings)
	h := &host{t: t}
	if err := p.Login(t.Context(), req, h); err != nil {
		t.Fatal(err)
	}
	if got := h.stored[0].Claims; got.Subject != "spiffe://acme.example.test/ns/ci/sa/zen" || !slices.Equal(a.asked, []string{testAudience}) {
		t.Errorf("signed in as %+v, asked for %q", got, a.asked)
	}
}

func TestCheckAndSetup(t *testing.T) {
	b := newBench(t)
	settings := b.people()
	for key, value := range b.job("github") {
		settings[key] = value
	}
	p := configured(t, settings)
	signedIn, _ := b.login(p, "")
	look := func(req provider.CheckRequest) map[string]provider.Finding {
		t.Helper()
		all := map[string]provider.Finding{}
		if _, err := p.Check(t.Context(), req, func(f provider.Finding) error { all[f.ID] = f; return nil }); err != nil {
			t.Fatal(err)
		}
		return all
	}
	req := provider.CheckRequest{Credential: &signedIn.Credential}
	for id, f := range look(req) {
		if f.Severity != provider.SeverityOK {
			t.Errorf("%s: %+v", id, f)
		}
	}
	req.Audience = testAudience
	if f := look(req); f["sign-in"].Severity != provider.SeverityError || f["workload"].Severity != provider.SeverityOK || !strings.Contains(f["workload"].Text, testAudience) {
		t.Errorf("with a sign-in: %+v", f)
	}
	b.with(ci.FaultForbidden)
	if f := look(provider.CheckRequest{})["workload"]; f.Severity != provider.SeverityError || !strings.Contains(f.Hint, "id-token: write") {
		t.Errorf("look = %+v", f)
	}
	b.with()

	got, err := p.Setup(t.Context(), provider.SetupRequest{Purpose: provider.Purpose{Audience: testAudience}})
	if err != nil || got.Issuer != nil {
		t.Fatalf("Setup = %+v, %v", got, err)
	}
	var all strings.Builder
	for _, s := range got.Steps {
		all.WriteString(s.Text)
	}
	for _, word := range []string{"http://127.0.0.1/callback", "id-token: write", "aud: " + testAudience, "repository_id", "workload_issuer"} {
		if !strings.Contains(all.String(), word) {
			t.Errorf("%q is not in %s", word, all.String())
		}
	}
}

func TestBadSettings(t *testing.T) {
	for _, test := range []struct{ key, value, words string }{
		{keyIssuer, "login.example.com", "not an https URL"},
		{keyIssuer, "http://login.example.com", "not an https URL"},
		{keyIssuer, "https://u:p@login.example.com", "not an https URL"},
		{keyIssuer, "https://login.example.com?x=1", "not an https URL"},
		{keyIssuer, "https://login.example.com#x", "not an https URL"},
		{keyClientID, "a b", "not a client id"},
		{keyClientSecret, "planted", "of no application"},
		{keyScopes, "profile email", "openid is not among them"},
		{keyScopes, "openid a\"b", "not a scope"},
		{keyPorts, "80", "not a port"},
		{keyPorts, "53682,53682", "twice"},
		{keyAudience, "a b", "not an audience"},
		{keyWorkload, "jenkins", "not one of github"},
		{keyWorkload, "github", "not both set"},
		{keyWorkload, "gitlab", "is not set"},
		{keyWorkload, "buildkite", "not both set"},
		{keyWorkload, "circleci", "is not set"},
		{keyWorkload, "spiffe", "no socket"},
		{keyWorkload, "file", "token_file is not set"},
		{keyWorkloadIssuer, "http://ci.example.com", "not an https URL"},
		{keyTokenFile, "token", "not an absolute path"},
		{keySPIFFESocket, "/run/agent.sock", "not an address"},
		{keyMetadataHost, "a/b", "not a host"},
		{keyGitHubURL, "https://github.example/x", "not both set"},
	} {
		_, err := parseSettings(values(map[string]string{test.key: test.value}))
		fails(t, test.key+"="+test.value, err, provider.ErrConfig, "oidc: ", test.words)
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than a line", test.key)
		}
	}
	_, err := parseSettings(values(map[string]string{keyGitHubURL: "http://github.example/x", keyGitHubToken: "planted"}))
	fails(t, "plain http", err, provider.ErrConfig, "github_request_url")
	p := newProvider("test")
	fails(t, "not configured", p.Login(t.Context(), provider.LoginRequest{}, &host{t: t}), provider.ErrConfig, "not configured")
}
