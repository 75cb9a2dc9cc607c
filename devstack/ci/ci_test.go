package ci_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/zen-auth/zen/devstack/ci"
	"github.com/zen-auth/zen/devstack/jose/josetest"
)

const audience = "https://bao.example.test"

// bench is a service, and a verifier that knows only its addresses.
type bench struct {
	*ci.Service
	t     *testing.T
	url   string
	fault atomic.Value
}

func newBench(t *testing.T, job ci.Job) *bench {
	t.Helper()
	b := &bench{t: t}
	server := httptest.NewUnstartedServer(nil)
	b.url = "http://" + server.Listener.Addr().String()
	b.Service = ci.New(ci.Options{BaseURL: b.url, Job: job, Fault: func(name string) bool { return b.fault.Load() == name }})
	server.Config.Handler = b.Handler()
	server.Start()
	t.Cleanup(server.Close)
	return b
}

func TestSystems(t *testing.T) {
	b := newBench(t, ci.Job{})
	for system, want := range map[string]map[string]any{
		"github": {
			"sub": "repo:acme/app:ref:refs/heads/main", "repository": "acme/app", "repository_id": "456789", "repository_owner_id": "123456",
			"ref": "refs/heads/main", "event_name": "push", "job_workflow_ref": "acme/app/.github/workflows/deploy.yml@refs/heads/main",
		},
		"gitlab": {
			"sub": "project_path:acme/app:ref_type:branch:ref:main", "project_path": "acme/app", "project_id": "456789", "ref": "main",
			"ref_protected": "true",
		},
		"buildkite":  {"organization_slug": "acme", "pipeline_slug": "app", "build_branch": "main", "build_tag": nil},
		"circleci":   {"oidc.circleci.com/vcs-ref": "refs/heads/main", "oidc.circleci.com/ssh-rerun": false},
		"google":     {"email": "zen@acme.iam.gserviceaccount.com", "email_verified": true},
		"kubernetes": {"sub": "system:serviceaccount:ci:zen"},
		"spiffe":     {"sub": "spiffe://acme.example.test/ns/ci/sa/zen"},
	} {
		t.Run(system, func(t *testing.T) {
			token, err := b.Token(system, audience)
			if err != nil {
				t.Fatal(err)
			}
			claims, err := josetest.Verify(token, b.Issuer(system), audience)
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range want {
				if got, ok := claims[name]; !ok || !reflect.DeepEqual(got, value) {
					t.Errorf("%s is %v, want %v", name, got, value)
				}
			}
			if claims["jti"] == "" {
				t.Error("no jti")
			}
			// No other issuer's key verifies it.
			for _, other := range ci.Systems() {
				if _, err := josetest.Verify(token, b.Issuer(other), audience); other != system && err == nil {
					t.Errorf("%s accepts it as its own", other)
				}
			}
		})
	}
	if len(b.Issuer("github")) == 0 || len(ci.Systems()) != 7 {
		t.Error("a system is not tested")
	}
	if _, err := b.Token("jenkins", audience); !errors.Is(err, ci.ErrSystem) {
		t.Errorf("an unknown system: %v", err)
	}
}

// TestSubject checks both forms of GitHub's sub.
func TestSubject(t *testing.T) {
	for want, change := range map[string]func(*ci.Job){
		"repo:acme/app:environment:production":               func(j *ci.Job) { j.Environment = "production" },
		"repo:acme/app:pull_request":                         func(j *ci.Job) { j.Event = "pull_request" },
		"repo:acme@123456/app@456789:ref:refs/heads/main":    func(j *ci.Job) { j.Immutable = true },
		"repo:acme@123456/app@456789:environment:production": func(j *ci.Job) { j.Immutable, j.Environment = true, "production" },
	} {
		job := ci.DefaultJob()
		change(&job)
		b := newBench(t, job)
		token, err := b.Token("github", "")
		if err != nil {
			t.Fatal(err)
		}
		claims, err := josetest.Verify(token, b.Issuer("github"), "https://github.com/acme")
		if err != nil || claims["sub"] != want || (job.Environment != "" && claims["environment"] != job.Environment) {
			t.Errorf("Verify = %v, %v; want sub %s", claims, err, want)
		}
	}
}

// variables returns a system's environment by name.
func (b *bench) variables(system string) map[string]string {
	b.t.Helper()
	list, err := b.Environment(system, audience)
	if err != nil {
		b.t.Fatal(err)
	}
	found := map[string]string{}
	for _, v := range list {
		found[v.Name] = v.Value
	}
	return found
}

// ask makes a request with a header and returns the status and the body.
func (b *bench) ask(method, url, body string, header ...string) (int, string) {
	b.t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

// github asks as @actions/toolkit does: it appends to the address.
func (b *bench) github(audience string) (int, string) {
	b.t.Helper()
	v := b.variables("github")
	status, body := b.ask("GET", v["ACTIONS_ID_TOKEN_REQUEST_URL"]+"&audience="+audience, "", "Authorization", "Bearer "+v["ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
	var answer struct{ Value string }
	if status == http.StatusOK {
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			b.t.Fatalf("%v in %s", err, body)
		}
	}
	return status, answer.Value
}

// TestAsking checks how a token is requested from each system, and which requests are
// refused.
func TestAsking(t *testing.T) {
	b := newBench(t, ci.Job{})
	status, token := b.github(audience)
	if _, err := josetest.Verify(token, b.Issuer("github"), audience); status != 200 || err != nil {
		t.Errorf("github: %d %v", status, err)
	}
	url := b.variables("github")["ACTIONS_ID_TOKEN_REQUEST_URL"]
	if status, _ := b.ask("GET", url, ""); status != 401 {
		t.Errorf("github without a token: %d", status)
	}
	if status, _ := b.ask("GET", url, "", "Authorization", "Bearer x"); status != 401 {
		t.Errorf("github with another token: %d", status)
	}

	v := b.variables("buildkite")
	tokens := v["BUILDKITE_AGENT_ENDPOINT"] + "/jobs/" + v["BUILDKITE_JOB_ID"] + "/oidc/tokens"
	status, body := b.ask("POST", tokens, `{"audience":"`+audience+`"}`, "Authorization", "Token "+v["BUILDKITE_AGENT_ACCESS_TOKEN"])
	var answer struct{ Token string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 200 {
		t.Fatalf("buildkite: %d %s", status, body)
	}
	if _, err := josetest.Verify(answer.Token, b.Issuer("buildkite"), audience); err != nil {
		t.Errorf("buildkite: %v", err)
	}
	if status, _ := b.ask("POST", tokens, `{}`, "Authorization", "Bearer "+v["BUILDKITE_AGENT_ACCESS_TOKEN"]); status != 401 {
		t.Errorf("buildkite by another scheme: %d", status)
	}
	if status, _ := b.ask("POST", strings.Replace(tokens, v["BUILDKITE_JOB_ID"], "other", 1), `{}`, "Authorization", "Token "+v["BUILDKITE_AGENT_ACCESS_TOKEN"]); status != 404 {
		t.Errorf("buildkite, another job: %d", status)
	}

	identity := "http://" + b.variables("google")["GCE_METADATA_HOST"] + "/computeMetadata/v1/instance/service-accounts/default/identity"
	if status, token = b.ask("GET", identity+"?format=full&audience="+audience, "", "Metadata-Flavor", "Google"); status != 200 {
		t.Fatalf("google: %d %s", status, token)
	}
	if _, err := josetest.Verify(token, b.Issuer("google"), audience); err != nil {
		t.Errorf("google: %v", err)
	}
	for want, header := range map[int][]string{403: nil, 400: {"Metadata-Flavor", "Google"}} {
		if status, _ := b.ask("GET", identity, "", header...); status != want {
			t.Errorf("google with %v: %d, want %d", header, status, want)
		}
	}

	for system, name := range map[string]string{"gitlab": ci.TokenVariable, "circleci": "CIRCLE_OIDC_TOKEN_V2"} {
		if _, err := josetest.Verify(b.variables(system)[name], b.Issuer(system), audience); err != nil {
			t.Errorf("%s: Verify = %v", system, err)
		}
	}
	if _, err := b.Environment("jenkins", ""); !errors.Is(err, ci.ErrSystem) {
		t.Errorf("an unknown system: %v", err)
	}
}

// TestFaults checks the effect of each fault on a client.
func TestFaults(t *testing.T) {
	b := newBench(t, ci.Job{})
	refused := func(want int) func(*testing.T) {
		return func(t *testing.T) {
			if status, _ := b.github(audience); status != want {
				t.Errorf("github = %d, want %d", status, want)
			}
		}
	}
	bad := func(t *testing.T) {
		_, token := b.github(audience)
		if _, err := josetest.Verify(token, b.Issuer("github"), audience); err == nil {
			t.Error("the token verifies")
		}
	}
	checks := map[string]func(*testing.T){
		ci.FaultUnavailable: refused(503), ci.FaultForbidden: refused(403),
		ci.FaultWrongAudience: bad, ci.FaultExpired: bad, ci.FaultJWKSUnavailable: bad, ci.FaultKeyUnpublished: bad,
		ci.FaultReplayed: func(t *testing.T) {
			_, first := b.github(audience)
			if _, second := b.github(audience); second != first {
				t.Error("another token")
			}
			b.fault.Store("")
			if _, third := b.github(audience); third == first {
				t.Error("the same token")
			}
		},
		ci.FaultImmutable: func(t *testing.T) {
			_, token := b.github(audience)
			claims, err := josetest.Verify(token, b.Issuer("github"), audience)
			if err != nil || claims["sub"] != "repo:acme@123456/app@456789:ref:refs/heads/main" {
				t.Errorf("Verify = %v %v", claims, err)
			}
		},
	}
	for _, f := range ci.Faults() {
		t.Run(f.Name, func(t *testing.T) {
			if checks[f.Name] == nil || f.Summary == "" {
				t.Fatal("no check covers this fault")
			}
			b.fault.Store(f.Name)
			defer b.fault.Store("")
			checks[f.Name](t)
		})
	}
}

// TestWorkloadAPI checks that go-spiffe gets an SVID from the agent, and that the agent
// refuses other requests.
func TestWorkloadAPI(t *testing.T) {
	b := newBench(t, ci.Job{})
	dir, err := os.MkdirTemp("", "spiffe") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx, stop := context.WithCancel(t.Context())
	done, err := b.ServeSPIFFE(ctx, filepath.Join(dir, "ci", "agent.sock"))
	if err != nil {
		t.Fatal(err)
	}
	fetch := func() (*jwtsvid.SVID, error) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		return workloadapi.FetchJWTSVID(ctx, jwtsvid.Params{Audience: audience}, workloadapi.WithAddr("unix://"+filepath.Join(dir, "ci", "agent.sock")))
	}
	svid, err := fetch()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := josetest.Verify(svid.Marshal(), b.Issuer("spiffe"), audience); err != nil || svid.ID.String() != "spiffe://acme.example.test/ns/ci/sa/zen" {
		t.Errorf("%s: Verify = %v", svid.ID, err)
	}
	b.fault.Store(ci.FaultForbidden)
	if _, err := fetch(); status.Code(err) != codes.PermissionDenied {
		t.Errorf("forbidden: %v", err)
	}
	stop()
	<-done
}

// TestKeepFile checks that the file's token is replaced before it expires.
func TestKeepFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens", "zen")
	synctest.Test(t, func(t *testing.T) {
		service := ci.New(ci.Options{BaseURL: "http://127.0.0.1:1"})
		ctx, stop := context.WithCancel(t.Context())
		done, err := service.KeepFile(ctx, "kubernetes", audience, path)
		if err != nil {
			t.Fatal(err)
		}
		read := func() (string, time.Time) {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var claims jwt.RegisteredClaims
			if _, _, err := jwt.NewParser().ParseUnverified(string(raw), &claims); err != nil {
				t.Fatal(err)
			}
			return string(raw), claims.ExpiresAt.Time
		}
		first, _ := read()
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		time.Sleep(49 * time.Minute)
		synctest.Wait()
		second, end := read()
		if second == first || time.Until(end) < 50*time.Minute {
			t.Errorf("after 49 minutes the token expires in %s", time.Until(end))
		}
		stop()
		<-done
	})
}
