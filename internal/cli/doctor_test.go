package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/internal/doctor"
)

// diagnosis is the output of zen doctor --json.
type diagnosis struct {
	Findings []struct {
		ID, Severity, Observed, Cause, Next string
		Class                               string `json:"failure_class"`
	}
	code int
}

// slowNetwork is a finding about a busy machine, too.
const slowNetwork = "network.slow"

// first returns the id of the first finding that isn't ok, except for slowNetwork.
func (d diagnosis) first() string {
	for _, f := range d.Findings {
		if f.ID != slowNetwork && (f.Severity == "warn" || f.Severity == "error") {
			return f.ID
		}
	}
	return ""
}

func (d diagnosis) has(id string) bool {
	for _, f := range d.Findings {
		if f.ID == id {
			return true
		}
	}
	return false
}

func (d diagnosis) String() string {
	var b strings.Builder
	for _, f := range d.Findings {
		if f.Severity != "ok" {
			fmt.Fprintf(&b, "\n  %s %s: %s (%s) next: %s", f.Severity, f.ID, f.Observed, f.Cause, f.Next)
		}
	}
	return b.String()
}

// doctorCase is a sign-in of which the doctor examines a new copy each time, without a cached
// token, which would hide that none can be issued.
type doctorCase struct {
	t       *testing.T
	stack   *devstack.Stack
	environ []string
	state   string
}

func newDoctorCase(t *testing.T) *doctorCase {
	zen, stack := signedIn(t)
	p := &doctorCase{t: t, stack: stack, environ: zen().Env}
	p.state = stateOf(p.environ)
	forgetTokens(t, p.state)
	return p
}

// stateOf returns the state directory of an environment.
func stateOf(environ []string) (dir string) {
	for _, v := range environ {
		if value, ok := strings.CutPrefix(v, "ZEN_STATE_DIR="); ok {
			dir = value
		}
	}
	return dir
}

// forgetTokens removes the stored tokens and keeps the sign-in, as if the tokens had expired.
func forgetTokens(t *testing.T, state string) {
	t.Helper()
	path := filepath.Join(state, "profiles", "default.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]any
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	delete(file, "tokens")
	if text, err = json.Marshal(file); err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// forgetFailures removes the record of failed commands.
func (p *doctorCase) forgetFailures(t *testing.T) {
	t.Helper()
	if err := os.Remove(filepath.Join(p.state, "profiles", "default.failed")); err != nil {
		t.Fatal(err)
	}
}

// ask runs zen doctor on a copy of the state, with additional environment variables.
func (p *doctorCase) ask(t *testing.T, environ []string, args ...string) diagnosis {
	t.Helper()
	return p.diagnose(t, p.copied(t), environ, args...)
}

// copied returns a copy of the state directory.
func (p *doctorCase) copied(t *testing.T) string {
	t.Helper()
	state := t.TempDir()
	if err := os.CopyFS(state, os.DirFS(p.state)); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(state, func(path string, d os.DirEntry, err error) error {
		mode := os.FileMode(0o600)
		if err == nil && d.IsDir() {
			mode = 0o700
		}
		return errors.Join(err, os.Chmod(path, mode))
	})
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// diagnose runs zen doctor on a state directory, with additional environment variables.
func (p *doctorCase) diagnose(t *testing.T, state string, environ []string, args ...string) diagnosis {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(bin, "zen"), append([]string{"doctor", "--json"}, args...)...)
	cmd.Env = append(append(slices.Clone(p.environ), "ZEN_STATE_DIR="+state), environ...)
	cmd.Dir = t.TempDir()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var d diagnosis
	var exited *exec.ExitError
	if errors.As(err, &exited) {
		d.code = exited.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &d); err != nil {
		t.Fatalf("%v: %s\n%s", err, out, &stderr)
	}
	return d
}

// switchFaults switches faults of a stack on or off.
func switchFaults(t *testing.T, stack *devstack.Stack, on bool, faults []string) {
	t.Helper()
	for _, name := range faults {
		if err := stack.Faults.Switch(name, on); err != nil {
			t.Fatal(err)
		}
	}
}

// causes maps each fault of the stack to the finding that names it, for a sign-in with Clerk.
var causes = map[string]string{
	"api-down": "turso.api", "api-not-member": "turso.api", "api-unauthorized": "turso.api",
	"clerk-clock-ahead": "token.not-issued", "clerk-redirect-mismatch": "clerk.oauth", "clerk-html": "clerk.native-api", "clerk-jwks-unavailable": "clerk.jwks",
	"clerk-key-swapped": "token.not-issued", "clerk-native-disabled": "clerk.native-api", "clerk-rate-limited": "clerk.native-api",
	"clerk-session-gone": "token.not-issued", "clerk-signed-out": "token.not-issued", "clerk-template-audience": "clerk.template",
	"clerk-template-empty": "token.not-issued", "clerk-template-missing": "token.not-issued", "clerk-unavailable": "clerk.jwks",
	"clerk-user-banned": "token.not-issued", "clock-ahead": "network.clock", "clock-behind": "network.clock", "jwks-stuck": "turso.jwks.key-refused", "jwks-region": "turso.jwks.region",
	"net-429": "network.trouble", "net-502": "network.trouble", "net-503": "network.trouble", "net-cut": "network.unreachable",
	"net-cut-body": "network.unreachable", "net-flaky": "network.trouble",
	"reads-blocked": "plan.blocked", "writes-blocked": "plan.blocked", "replicas-blocked": "database.replica", "sync-busy": "database.replica",
	"stream-expired": "database.stream", "stream-lost": "database.stream", "sqld": "database.refused",
	"token-invalidated": "database.invalidated", "token-not-allowed": "database.not-allowed",
}

// sameCause also accepts a provider's own finding instead of the failure that follows from
// it, and the key set's finding of either check.
func sameCause(got, want string) bool {
	return got == want || want == "token.not-issued" && strings.HasPrefix(got, "clerk.") ||
		strings.HasPrefix(want, "clerk.") && got == "issuer.key-set"
}

// layerOf returns the index of a finding's layer; a provider's own findings belong to the
// issuer's layer.
func layerOf(id string) int {
	if id == "plan.blocked" {
		id = "database.blocked" // the database reports it first
	}
	for i, l := range doctor.Layers() {
		if strings.HasPrefix(id, l+".") {
			return i
		}
	}
	return slices.Index(doctor.Layers(), "issuer")
}

func TestDoctorNamesTheCause(t *testing.T) {
	t.Parallel()
	p := newDoctorCase(t)
	with := func(t *testing.T, faults ...string) diagnosis {
		for _, name := range faults {
			if err := p.stack.Faults.Switch(name, true); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = p.stack.Faults.Switch(name, false) }()
		}
		return p.ask(t, nil)
	}
	if d := with(t); d.first() != "" || d.code != 0 {
		t.Errorf("without a fault: exit code %d%s", d.code, d)
	}
	for name, want := range causes {
		t.Run(name, func(t *testing.T) {
			if d := with(t, name); !sameCause(d.first(), want) {
				t.Errorf("the first finding is %q, want %q%s", d.first(), want, d)
			}
		})
	}
	d := with(t, "jwks-stuck")
	if d.code != 3 || !d.has("turso.jwks.over-limit") || !d.has("turso.jwks.key-refused") || !d.has("database.minted") || !d.has("cors.hides-refusal") {
		t.Errorf("jwks-stuck: exit code %d%s", d.code, d)
	}
	// Of two faults, the one of the deeper layer is reported first.
	names := slices.Sorted(maps.Keys(causes))
	pairs := 0
	for i, a := range names {
		for _, b := range []string{names[(i+5)%len(names)], names[(i+11)%len(names)]} {
			la, lb := layerOf(causes[a]), layerOf(causes[b])
			if la == lb || strings.HasPrefix(a, "net-") && strings.HasPrefix(b, "net-") {
				continue
			}
			deeper := a
			if lb < la {
				deeper = b
			}
			pairs++
			if d := with(t, a, b); layerOf(d.first()) > layerOf(causes[deeper]) {
				t.Errorf("%s and %s: the first finding is %q, want one of %s%s", a, b, d.first(), deeper, d)
			}
		}
	}
	if pairs < 40 {
		t.Errorf("%d pairs were tried, want at least 40", pairs)
	}
}

// rotationFaults are the findings of faults that appear only after the issuer rotates its key.
var rotationFaults = map[string]string{
	fault.JWKSStale: "turso.jwks.key-refused", fault.JWKSFetchDown: "turso.jwks.key-refused", fault.ExpiredAs401: "turso.jwks.key-refused",
}

// A Turso that doesn't fetch a key set again accepts the old keys until the issuer rotates:
// then it finds no key, or, if the new key has the old kid, the wrong one.
func TestDoctorNamesTheFaultOfARotation(t *testing.T) {
	t.Parallel()
	p := newDoctorCase(t)
	if d := p.ask(t, nil); d.first() != "" {
		t.Fatalf("without a fault: %s", d)
	}
	for name, want := range rotationFaults {
		faults := []string{name}
		if name == fault.ExpiredAs401 { // appears in how a wrong signature is reported
			faults = append(faults, fault.JWKSStale)
		}
		switchFaults(t, p.stack, true, faults)
		if err := p.stack.Clerk.RotateKey(clerk.Rotation{NewKeyID: name == fault.JWKSFetchDown, KeepSessions: true}); err != nil {
			t.Fatal(err)
		}
		if d := p.ask(t, nil); d.first() != want || d.code != 3 {
			t.Errorf("%s: the first finding is %q, want %q%s", name, d.first(), want, d)
		}
		switchFaults(t, p.stack, false, faults)
	}
}

// maxRequests is the limit for a doctor without findings: with 20 ms of latency each, they
// take half a second if none overlap.
const maxRequests = 25

// The first run after a sign-in stays within maxRequests, and has no findings with 20 ms of
// latency.
func TestDoctorSendsFewRequests(t *testing.T) {
	t.Parallel()
	stack := devstacktest.Start(t, devstack.Options{Latency: 20 * time.Millisecond})
	p := newRotatingCase(t, stack, []string{"--provider", "clerk"}, nil)
	forgetTokens(t, p.state)
	// The key sets that Turso fetches for the first token don't count as the doctor's
	// requests.
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	query := exec.Command(filepath.Join(bin, "zen"), "db", "query", "SELECT 1")
	query.Env = append(slices.Clone(p.environ), "ZEN_STATE_DIR="+p.copied(t))
	if out, err := query.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	before := stack.Requests()[0].Number // the newest is first
	if d := p.ask(t, nil); d.first() != "" || d.code != 0 {
		t.Errorf("exit code %d%s", d.code, d)
	}
	after := stack.Requests()
	if asked := after[0].Number - before; asked > maxRequests {
		t.Errorf("%d requests, want %d at most", asked, maxRequests)
		for _, r := range after[:asked] {
			t.Logf("%s %s %s", r.Service, r.Method, r.Path)
		}
	}
}

func TestDoctorNamesMisconfiguration(t *testing.T) {
	t.Parallel()
	p := newDoctorCase(t)
	dir := t.TempDir()
	config := func(change func(string) string) string {
		text, err := os.ReadFile(strings.TrimPrefix(p.environ[slices.IndexFunc(p.environ, func(v string) bool { return strings.HasPrefix(v, "ZEN_CONFIG=") })], "ZEN_CONFIG="))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, fmt.Sprintf("config%d.toml", len(change(string(text)))))
		if err := os.WriteFile(path, []byte(change(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
		return "ZEN_CONFIG=" + path
	}
	without := func(key string) string {
		return config(func(text string) string {
			var kept []string
			for line := range strings.Lines(text) {
				if !strings.HasPrefix(line, key+" =") {
					kept = append(kept, line)
				}
			}
			return strings.Join(kept, "")
		})
	}
	replaced := func(old, with string) string {
		return config(func(text string) string { return strings.ReplaceAll(text, old, with) })
	}
	token := "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.eyJpZCI6IjMzMDU3NjYxIiwiYSI6InJ3In0.c2lnbmF0dXJl"
	for _, test := range []struct {
		name    string
		environ []string
		want    string
		code    int
	}{
		{"no database", []string{without("database")}, "config.no-database", 2},
		{"no database_id", []string{without("database_id")}, "config.no-database-id", 0},
		{"database elsewhere", []string{replaced("/dbs/app", "/dbs/other")}, "", -1},
		{"nothing listens", []string{"ZEN_DATABASE=http://127.0.0.1:1/dbs/app"}, "network.unreachable", 4},
		{"unknown host", []string{"ZEN_DATABASE=libsql://nosuch.invalid"}, "network.dns", 4},
		{"unknown provider", []string{"ZEN_PROVIDER=nosuch"}, "binary.provider-fails", 2},
		{"unknown token provider", []string{"ZEN_TOKEN_PROVIDER=nosuch"}, "binary.provider-fails", 2},
		{"no publishable key", []string{without("publishable_key"), "CLERK_PUBLISHABLE_KEY="}, "config.provider", 2},
		{"wrong publishable key", []string{"ZEN_CLERK__PUBLISHABLE_KEY=pk_test_nonsense"}, "config.provider", 2},
		{"secret key in its place", []string{"ZEN_CLERK__PUBLISHABLE_KEY=sk_test_0123456789abcdef0123"}, "config.provider", 2},
		{"unknown setting", []string{config(func(text string) string { return text + "\n[providers.nosuch]\nx = 1\n" })}, "", 0},
		{"misspelt setting", []string{replaced("bridge_url", "bridge_ulr")}, "config.provider", 2},
		{"missing template", []string{"ZEN_CLERK__TEMPLATE=nosuch"}, "clerk.template", 2},
		{"wrong API token", []string{"TURSO_API_TOKEN=eyJhbGciOiJub25lIn0.e30.x"}, "turso.api", 0},
		{"API elsewhere", []string{"TURSO_API_BASEURL=http://127.0.0.1:1"}, "turso.api", 0},
		{"invalid proxy", []string{"HTTPS_PROXY=http://u:p x@proxy.invalid", "ZEN_DATABASE=https://db.invalid"}, "network.proxy", 2},
		{"another organization", []string{"ZEN_PLATFORMTOKEN__ORGANIZATION=nosuch"}, "turso.api", 0},
		{"token in a page", []string{"VITE_TURSO_AUTH_TOKEN=" + token}, "bundle.secret", 2},
		{"secret key in a page", []string{"NEXT_PUBLIC_CLERK_SECRET_KEY=sk_live_0123456789abcdefghij"}, "bundle.secret", 2},
		{"API key in a page", []string{"EXPO_PUBLIC_KEY=ak_0123456789abcdefghij"}, "bundle.secret", 2},
		{"token for servers", []string{"TURSO_AUTH_TOKEN=" + token}, "", 0},
		{"read-only", []string{"ZEN_ACCESS=ro"}, "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := p.ask(t, test.environ)
			if test.code >= 0 && (d.first() != test.want || d.code != test.code) {
				t.Errorf("exit code %d, first finding %q, want %d and %q%s", d.code, d.first(), test.code, test.want, d)
			}
			if test.code < 0 && d.code == 0 {
				t.Errorf("exit code 0, want another%s", d)
			}
			if strings.Contains(d.String(), token) || strings.Contains(d.String(), "0123456789abcdef") {
				t.Errorf("a secret is in a finding: %s", d)
			}
		})
	}
}

// A report has the required parts in their order, and no secret.
func TestDoctorReport(t *testing.T) {
	t.Parallel()
	zen, stack := signedIn(t)
	if err := stack.Faults.Switch("jwks-stuck", true); err != nil {
		t.Fatal(err)
	}
	token, err := zen("token").Output()
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{strings.TrimSpace(string(token))}
	for _, v := range zen().Env {
		name, value, _ := strings.Cut(v, "=")
		if name == "TURSO_API_TOKEN" || name == "CLERK_SECRET_KEY" || name == "ZEN_APIKEY__KEY" {
			secrets = append(secrets, value)
		}
	}
	for _, anonymous := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "report.md")
		args := []string{"doctor", "--report", path}
		if anonymous {
			args = append(args, "--anonymous")
		}
		out, err := zen(args...).CombinedOutput()
		var exited *exec.ExitError
		if !errors.As(err, &exited) || exited.ExitCode() != 3 {
			t.Fatalf("%v\n%s", err, out)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
			t.Errorf("the report has mode %v, %v", info.Mode(), err)
		}
		at := 0
		for _, part := range []string{
			"## Date", "## Summary", "## Environment", "Turso plan", "### Symptoms", "CORS", "#### The token", `"kid"`, `"perm"`, "#### The issuer's key set",
			"#### The key sets registered with Turso", "documented limit is 2", "### Verification steps", "curl", "HTTP 401", "existing keys", "HTTP 200",
			"## Expected behaviour", "## Current workaround", "## Questions", "internal server error", "### The plan", "| rows read |", "| databases | 1 | 100 |",
		} {
			i := strings.Index(string(text[at:]), part)
			if i < 0 {
				t.Errorf("the report lacks %q after byte %d:\n%s", part, at, text)
				break
			}
			at += i
		}
		for _, secret := range secrets {
			for _, piece := range append(strings.Split(secret, ".")[max(0, strings.Count(secret, ".")):], secret) {
				if len(piece) > 8 && (strings.Contains(string(text), piece) || strings.Contains(string(out), piece)) {
					t.Errorf("a secret is in the report or the output")
				}
			}
		}
		if anonymous && (strings.Contains(string(text), stack.DatabaseID()) || strings.Contains(string(text), "alice@") || strings.Contains(string(text), stack.DatabaseURL())) {
			t.Errorf("the anonymous report has a name, an address or an id:\n%s", text)
		}
	}
}
