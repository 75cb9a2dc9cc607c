package cli

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack/clerk"
)

// An organization's API key has no session, so Turso issues the tokens, limited to what the
// key's claims allow. Once the key is revoked, the next token request reports it.
func TestAPIKeyOfAnOrganization(t *testing.T) {
	t.Parallel()
	zen, stack := signedIn(t)
	if out, err := zen("db", "query", "CREATE TABLE t (n)").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	organization, err := stack.Clerk.AddOrganization(clerk.Organization{Name: "Initech", Slug: "initech"})
	if err != nil {
		t.Fatal(err)
	}
	id, secret, err := stack.Clerk.AddAPIKey(clerk.APIKey{Name: "deploy", Subject: organization, Claims: []byte(`{"a":"ro"}`)})
	if err != nil {
		t.Fatal(err)
	}
	run := func(code int, args ...string) string {
		t.Helper()
		cmd := zen(args...)
		cmd.Env = append(cmd.Env[:len(cmd.Env):len(cmd.Env)], "ZEN_APIKEY__KEY="+secret, "ZEN_TOKEN_PROVIDER=platformtoken")
		out, err := cmd.CombinedOutput()
		if _, exited := err.(*exec.ExitError); err != nil && !exited {
			t.Fatal(err)
		}
		if got := cmd.ProcessState.ExitCode(); got != code || strings.Contains(string(out), secret) {
			t.Fatalf("zen %s: exit code %d, want %d:\n%s", strings.Join(args, " "), got, code, out)
		}
		return string(out)
	}
	run(0, "login", "--provider", "apikey", "--no-input")
	if out := run(0, "db", "query", "SELECT count(*) AS n FROM t"); !strings.Contains(out, "0") {
		t.Errorf("SELECT count(*) printed %s, want 0", out)
	}
	if out := run(5, "db", "query", "INSERT INTO t VALUES (1)"); !strings.Contains(out, "write") {
		t.Errorf("a write with a read-only key printed %s", out)
	}
	if out := run(0, "status"); !strings.Contains(out, organization) || !strings.Contains(out, "which another provider issues") {
		t.Errorf("zen status printed %s", out)
	}
	if err := stack.Clerk.RevokeAPIKey(id); err != nil {
		t.Fatal(err)
	}
	// The stored token stays good until it expires; no other one is issued.
	if out := run(3, "token", "--min-ttl", "2h"); !strings.Contains(out, "the API key deploy of "+organization+" was revoked") {
		t.Errorf("after the revocation: %s", out)
	}
}
