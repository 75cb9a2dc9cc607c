package openbao_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/devstack/turso"
)

var codeBlock = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")

// TestDocumentedSetUp runs the commands of docs/teams.md, with its files.
func TestDocumentedSetUp(t *testing.T) {
	server := newServer(t)
	stack := devstacktest.Start(t, devstack.Options{})
	first, err := stack.Turso.CreateAPIToken("alice", turso.APIToken{Name: "first"})
	if err != nil {
		t.Fatal(err)
	}
	acme := clerkGet(t, stack, "/organizations/acme")["id"].(string)
	document := readFile(t, "../docs/teams.md")
	// The addresses of the stand-ins and the paths in /etc are replaced.
	here := strings.NewReplacer(
		"/etc/openbao/plugins", buildDir, "org_2abc", acme, "organization=acme", "organization=acme api_url="+stack.URL(),
		"https://token.actions.githubusercontent.com", stack.CI.Issuer("github"),
		"secret_key=-", "secret_key=- api_url="+stack.Clerk.BackendURL(),
	)
	blocks := map[string][]string{}
	for _, block := range codeBlock.FindAllStringSubmatch(document, -1) {
		blocks[block[1]] = append(blocks[block[1]], here.Replace(block[2]))
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"app.hcl": blocks["hcl"][1], "people.json": blocks["json"][0], "ci.json": blocks["json"][1],
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := stack.Clerk.SetTemplate("openbao", []byte(blocks["json"][2]), 0); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program(t), filepath.Join(bin, "bao")); err != nil {
		t.Fatal(err)
	}
	run := func(script string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		command := exec.CommandContext(ctx, "sh", "-e", "-c", script)
		command.Dir = dir
		command.Env = []string{
			"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + dir, "BAO_ADDR=" + server.URL, "BAO_TOKEN=" + server.Token,
			"TURSO_API_TOKEN=" + first, "CLERK_ISSUER=" + stack.Clerk.Issuer(), "CLERK_SECRET_KEY=" + stack.Clerk.SecretKey(),
		}
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
	}
	// newServer has already registered the plugins with the same sums; registering them
	// again has no effect.
	setUp := blocks["sh"][0]
	if n := strings.Count(strings.TrimSpace(setUp), "\n") + 1; n > 12 {
		t.Errorf("the set-up has %d commands, more than 12", n)
	}
	for line := range strings.Lines(setUp) {
		run(line)
	}

	tm := &team{Server: server, t: t, stack: stack}
	if data := tm.read("turso/config/check"); data["ok"] != true || !strings.HasPrefix(data["api_token_name"].(string), "openbao-") {
		t.Errorf("check: %v", data)
	}
	session, err := stack.Clerk.CreateSession(stack.Clerk.UserID("alice@example.test"), "acme")
	if err != nil {
		t.Fatal(err)
	}
	person, err := stack.Clerk.TemplateToken(session, "openbao")
	if err != nil {
		t.Fatal(err)
	}
	job, err := stack.CI.Token("github", "https://bao.example.com")
	if err != nil {
		t.Fatal(err)
	}
	for mount, jwt := range map[string]string{"people": person, "github": job} {
		c, err := server.Login(t.Context(), mount, object{"role": "app", "jwt": jwt})
		if err != nil {
			t.Fatalf("%s: Login = %v", mount, err)
		}
		l, err := tm.creds(c, "app")
		if err != nil {
			t.Fatalf("%s: creds = %v", mount, err)
		}
		if err := tm.opens(l.token(), "CREATE TABLE IF NOT EXISTS t (id INTEGER)"); err != nil {
			t.Errorf("%s: opens = %v", mount, err)
		}
	}
	bob, err := stack.Clerk.CreateSession(stack.Clerk.UserID("bob@example.test"), "globex")
	if err != nil {
		t.Fatal(err)
	}
	if person, err = stack.Clerk.TemplateToken(bob, "openbao"); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Login(t.Context(), "people", object{"role": "app", "jwt": person}); !refused(err, 400, "org_id") {
		t.Errorf("bob: %v", err)
	}

	runWorkflow(t, tm)

	run(blocks["sh"][1]) // Clerk API keys
	key := clerkPost(t, stack, "/api_keys", object{"name": "job", "subject": acme, "scopes": []string{"db"}})
	if _, err := server.Login(t.Context(), "clerk", object{"role": "app", "api_key": key["secret"]}); err != nil {
		t.Error(err)
	}
	run(blocks["sh"][2]) // leaving
	if mounts := tm.read("sys/mounts"); mounts["turso/"] != nil {
		t.Error("turso/ is still there")
	}
	// The same set-up with the Terraform example and the one command that isn't part of
	// it.
	applyTerraform(t, tm, dir, here)
	tm.write("turso/config", object{"api_token": stack.APIToken(), "organization": "acme", "api_url": stack.URL()})
	c, err := server.Login(t.Context(), "github", object{"role": "app", "jwt": job})
	if err != nil {
		t.Fatalf("Terraform's example: %v", err)
	}
	if l, err := tm.creds(c, "app"); err != nil || l.Data["access"] != "rw" {
		t.Errorf("Terraform's example: %+v, %v", l, err)
	}

	if len(blocks["sh"]) != 3 || !slices.Contains([]int{3, 4}, len(blocks["hcl"])) {
		t.Errorf("%d blocks of commands, %d of HCL: which are new?", len(blocks["sh"]), len(blocks["hcl"]))
	}
}
