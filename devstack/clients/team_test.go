package clients_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/clients/npmtest"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/internal/programs"
)

// The changes that zen makes to an organization with a member's rights are what Clerk's
// own library reads there with the secret key.
func TestClerkBackendReadsTheTeam(t *testing.T) {
	npmtest.Install(t, "identity") // or the test is skipped before anything is built
	bin := t.TempDir()
	must(t, programs.Install(bin, false))
	s := devstacktest.Start(t, devstack.Options{})
	for _, email := range []string{"erin@example.test", "frank@example.test"} {
		_, err := s.Clerk.AddUser(clerk.User{Email: email, Memberships: []clerk.Membership{{Organization: "acme", Role: "org:member"}}})
		must(t, err)
	}
	dir := t.TempDir()
	variables, err := s.Environment(dir)
	must(t, err)
	environ := append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "BROWSER=zen dev browse --user alice", "CI=")
	for _, v := range variables {
		environ = append(environ, v.Name+"="+v.Value)
	}
	for _, line := range []string{
		"login --provider clerk", "team remove --yes frank@example.test", "team invite carol@example.test --role admin",
		"team invite dan@example.test", "team revoke dan@example.test", "team role erin@example.test admin",
	} {
		cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "zen"+programs.Exe), strings.Fields(line)...)
		cmd.Dir, cmd.Env = dir, environ
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("zen %s: %v\n%s", line, err, out)
		}
	}
	got := node(t, "team.mjs", "CLERK_SECRET_KEY="+s.Clerk.SecretKey(), "CLERK_API_URL="+strings.TrimSuffix(s.Clerk.BackendURL(), "/v1"))
	sees(t, got, `{
		"members": [["alice@example.test", "org:admin"], ["erin@example.test", "org:admin"]],
		"invitations": [["carol@example.test", "org:admin", "pending", 30, true], ["dan@example.test", "org:member", "revoked", 30, true]]
	}`)
}
