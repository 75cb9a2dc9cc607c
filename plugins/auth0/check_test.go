package main

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack/auth0"
)

// findings returns those of a check, by id.
func findings(t *testing.T, p *auth0Provider, req provider.CheckRequest) (map[string]provider.Finding, *provider.Credential) {
	t.Helper()
	all := map[string]provider.Finding{}
	renewed, err := p.Check(t.Context(), req, func(f provider.Finding) error { all[f.ID] = f; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return all, renewed
}

func TestCheck(t *testing.T) {
	b := newBench(t)
	p := b.provider()
	signedIn, _ := b.login(p, request(""))
	purpose := provider.Purpose{Target: target, Access: provider.AccessReadWrite, Template: `{"id":"x"}`, ReadOnlyTemplate: `{"id":"x","a":"ro"}`}
	got, renewed := findings(t, p, provider.CheckRequest{Credential: &signedIn.Credential, Purpose: purpose})
	for _, id := range []string{"issuer", "jwks", "clock", "callbacks", "device", "token"} {
		if got[id].Severity != provider.SeverityOK {
			t.Errorf("%s: findings = %+v", id, got[id])
		}
	}
	if renewed == nil {
		t.Fatal("checking the token lost the refresh token")
	}
	credential := *renewed
	for _, test := range []struct {
		fault, id string
		severity  provider.Severity
		words     string
		fix       string
	}{
		{auth0.FaultUnavailable, "issuer", provider.SeverityError, "503", ""},
		{auth0.FaultCallbackMismatch, "callbacks", provider.SeverityError, "Callback URL mismatch", fixCallbacks},
		{auth0.FaultDeviceOff, "device", provider.SeverityWarn, "unauthorized_client", fixGrants},
		{auth0.FaultActionMissing, "token", provider.SeverityError, "no Action of the trigger post-login", triggerPeople},
		{auth0.FaultWrongAudience, "token", provider.SeverityError, "not for the API", ""},
		{auth0.FaultRefreshRevoked, "token", provider.SeverityError, "Unknown or invalid refresh token", ""},
	} {
		b.with(test.fault)
		got, renewed := findings(t, p, provider.CheckRequest{Credential: &credential, Purpose: purpose})
		b.with()
		if renewed != nil {
			credential = *renewed
		}
		f := got[test.id]
		if f.Severity != test.severity || !strings.Contains(f.Text, test.words) || (f.Fix == nil) != (test.fix == "") || f.Fix != nil && f.Fix.ID != test.fix || f.Kind == nil {
			t.Errorf("%s: %+v %+v", test.fault, f, f.Fix)
		}
	}
	if got, _ := findings(t, p, provider.CheckRequest{}); got["token"].Severity != provider.SeveritySkipped {
		t.Errorf("without a sign-in: %+v", got["token"])
	}

	// A machine is checked with its secret, without a sign-in.
	machine := b.provider(keyClientID, "", keyClientSecret, testSecret)
	if got, _ := findings(t, machine, provider.CheckRequest{Purpose: purpose}); got["token"].Severity != provider.SeverityOK || got["callbacks"].Severity != provider.SeveritySkipped {
		t.Errorf("a machine: %+v", got)
	}
	b.with(auth0.FaultGrantMissing)
	if got, _ := findings(t, machine, provider.CheckRequest{Purpose: purpose}); got["token"].Fix == nil || got["token"].Fix.ID != fixClientGrant {
		t.Errorf("a machine without a grant: %+v", got["token"])
	}
	b.with()

	// A nonexistent audience and a wrong clock are detected without a sign-in.
	if got, _ := findings(t, b.provider(keyAudience, "https://other.example"), provider.CheckRequest{}); !strings.Contains(got["callbacks"].Text, "Service not found") {
		t.Errorf("no such API: %+v", got["callbacks"])
	}
	b.mu.Lock()
	b.skew = time.Minute
	b.mu.Unlock()
	if got, _ := findings(t, p, provider.CheckRequest{}); got["clock"].Severity != provider.SeverityError || !strings.Contains(got["clock"].Text, "ahead of") {
		t.Errorf("a clock ahead: %+v", got["clock"])
	}
	long := newBench(t, func(o *auth0.Options) { o.APIs[0].TokenLifetime = 48 * time.Hour })
	q := long.provider()
	signedIn, _ = long.login(q, request(""))
	if got, _ := findings(t, q, provider.CheckRequest{Credential: &signedIn.Credential, Purpose: purpose}); got["token"].Severity != provider.SeverityWarn || !strings.Contains(got["token"].Text, "48h") {
		t.Errorf("a long life: %+v", got["token"])
	}
}

// The setup follows the settings, and its programs run: the Actions in node, if
// installed, on the events of Auth0's triggers. The script stops if the Auth0 CLI fails
// or an Action doesn't build.
func TestSetupScriptEnds(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("needs sh")
	}
	p := newProvider("test")
	if _, err := p.Configure(t.Context(), values()); err != nil {
		t.Fatal(err)
	}
	setup, err := p.Setup(t.Context(), provider.SetupRequest{Purpose: provider.Purpose{Target: target}})
	if err != nil {
		t.Fatal(err)
	}
	for want, jq := range map[string]string{
		"was not made":          "case \"$*\" in *length*) exit 1 ;; esac",
		"doesn't build: failed": "case \"$*\" in *length*) exit 1 ;; *.id*) echo act_1 ;; *.status*) echo failed ;; esac",
	} {
		dir := t.TempDir()
		for _, f := range setup.Files {
			if err := os.WriteFile(filepath.Join(dir, f.Path), []byte(f.Text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for name, text := range map[string]string{"auth0": "exit 0", "jq": jq} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "sh", filepath.Join(dir, "auth0-setup.sh"))
		cmd.Env = []string{"PATH=" + dir + string(os.PathListSeparator) + os.Getenv("PATH")}
		if out, err := cmd.CombinedOutput(); err == nil || ctx.Err() != nil || !strings.Contains(string(out), want) {
			t.Errorf("the script: %v, output %s", err, out)
		}
	}
}

func TestSetup(t *testing.T) {
	p := newProvider("test")
	if _, err := p.Configure(t.Context(), values(keyWriteScope, "db:write")); err != nil {
		t.Fatal(err)
	}
	purpose := provider.Purpose{Target: target, Template: `{"id":"` + testDatabase + `","a":"rw","perm":[],"rid":"r"}`, ReadOnlyTemplate: `{"id":"` + testDatabase + `","a":"ro","perm":[],"rid":"r"}`}
	got, err := p.Setup(t.Context(), provider.SetupRequest{Purpose: purpose})
	if err != nil {
		t.Fatal(err)
	}
	if got.Issuer.Issuer != "https://acme.eu.auth0.com/" || got.Issuer.KeySetURL != "https://acme.eu.auth0.com/.well-known/jwks.json" {
		t.Errorf("issuer %+v", got.Issuer)
	}
	files := map[string]provider.SetupFile{}
	for _, f := range got.Files {
		files[f.Path] = f
	}
	var steps strings.Builder
	for _, s := range got.Steps {
		steps.WriteString(s.Title + "\n" + s.Text + "\n")
		if _, err := url.Parse(s.URL); err != nil {
			t.Error(err)
		}
	}
	script := files["auth0-setup.sh"]
	for _, text := range []string{steps.String(), script.Text} {
		for _, word := range []string{testAudience, "http://127.0.0.1:53682/callback", "http://127.0.0.1:53686/callback", "db:write", "credentials-exchange"} {
			if !strings.Contains(text, word) {
				t.Errorf("%q is not in\n%s", word, text)
			}
		}
	}
	if _, err := p.Setup(t.Context(), provider.SetupRequest{Topic: "x"}); err == nil {
		t.Error("an unknown topic")
	}
	if sh, err := exec.LookPath("sh"); err == nil {
		cmd := exec.Command(sh, "-n")
		cmd.Stdin = strings.NewReader(script.Text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("the script: %v\n%s", err, out)
		}
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed: the Actions were not run")
	}
	for _, test := range []struct{ path, function, event, want string }{
		{"turso-post-login.js", "onExecutePostLogin", `{"resource_server":{"identifier":"` + testAudience + `"},"transaction":{"requested_scopes":["openid","db:write"]}}`, `{"id":"` + testDatabase + `","a":"rw","perm":[],"rid":"r"}`},
		{"turso-post-login.js", "onExecutePostLogin", `{"resource_server":{"identifier":"` + testAudience + `"},"transaction":{"requested_scopes":["openid"]}}`, `{"id":"` + testDatabase + `","a":"ro","perm":[],"rid":"r"}`},
		{"turso-post-login.js", "onExecutePostLogin", `{"resource_server":{"identifier":"` + testAudience + `"}}`, `{"id":"` + testDatabase + `","a":"ro","perm":[],"rid":"r"}`},
		{"turso-post-login.js", "onExecutePostLogin", `{"resource_server":{"identifier":"https://other.example"},"transaction":{"requested_scopes":["db:write"]}}`, `{}`},
		{"turso-post-login.js", "onExecutePostLogin", `{}`, `{}`},
		{"turso-credentials-exchange.js", "onExecuteCredentialsExchange", `{"resource_server":{"identifier":"` + testAudience + `"},"accessToken":{"scope":["db:write"]}}`, `{"id":"` + testDatabase + `","a":"rw","perm":[],"rid":"r"}`},
	} {
		program := files[test.path].Text + `
const set = {};
exports.` + test.function + `(` + test.event + `, {accessToken: {setCustomClaim: (name, value) => { set[name] = value; }}}).then(() => console.log(JSON.stringify(set)));`
		out, err := exec.Command(node, "-e", program).CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != test.want {
			t.Errorf("%s with %s: %v\n%s", test.path, test.event, err, out)
		}
	}
	// Without Turso's templates the Action contains an error message instead of no
	// claims.
	bare, err := p.Setup(t.Context(), provider.SetupRequest{})
	if err != nil || !strings.Contains(bare.Files[1].Text, "paste here what turso org jwks template") {
		t.Errorf("%v\n%s", err, bare.Files[1].Text)
	}
}
