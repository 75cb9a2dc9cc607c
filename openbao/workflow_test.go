package openbao_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// workflow is what of a GitHub workflow is run here.
type workflow struct {
	Permissions map[string]string
	Jobs        map[string]struct {
		Env   map[string]string
		Steps []struct {
			Name, Uses, Run, If string
		}
	}
}

// runWorkflow runs the workflow of docs/oidc.md as GitHub does, in the OpenBao that
// docs/teams.md sets up: each step in a shell of its own, with what the job's permissions
// bring, and no secret.
func runWorkflow(t *testing.T, tm *team) {
	t.Helper()
	var w workflow
	for _, block := range codeBlock.FindAllStringSubmatch(readFile(t, "../docs/oidc.md"), -1) {
		if block[1] == "yaml" && strings.Contains(block[2], "runs-on: ") {
			if err := yaml.Unmarshal([]byte(block[2]), &w); err != nil {
				t.Fatal(err)
			}
		}
	}
	job, ok := w.Jobs["migrate"]
	if !ok || len(job.Steps) < 4 {
		t.Fatalf("docs/oidc.md has no workflow with the job migrate: %+v", w)
	}
	dir := t.TempDir()
	bin, temp, exported := filepath.Join(dir, "bin"), filepath.Join(dir, "temp"), filepath.Join(dir, "env")
	buildZen(t, bin, "oidc", "openbao")
	for _, path := range []string{temp, filepath.Join(dir, "work")} {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	// What the repository has.
	const migrate = `#!/bin/sh -e
run() {
	printf 'header = "Authorization: Bearer %s"\n' "$TURSO_AUTH_TOKEN" |
		curl -sS --fail -K - -d "{\"requests\":[{\"type\":\"execute\",\"stmt\":{\"sql\":\"$1\"}}]}" "$TURSO_DATABASE_URL/v2/pipeline"
}
run 'CREATE TABLE IF NOT EXISTS jobs (n INTEGER)'
run 'INSERT INTO jobs VALUES (42)'
run 'SELECT n FROM jobs'
`
	if err := os.WriteFile(filepath.Join(dir, "work", "migrate.sh"), []byte(migrate), 0o700); err != nil {
		t.Fatal(err)
	}
	here := strings.NewReplacer(
		"${{ runner.temp }}", temp, "libsql://app-acme.turso.io", tm.stack.DatabaseURL(),
		"33057661-834e-4891-9b48-802d425d02b9", tm.stack.DatabaseID(), "https://bao.example.com:8200", tm.URL,
	)
	env := map[string]string{"PATH": bin + ":" + os.Getenv("PATH"), "HOME": dir, "CI": "true", "GITHUB_ENV": exported, "ZEN_OIDC__WORKLOAD_ISSUER": tm.stack.CI.Issuer("github")}
	for name, value := range job.Env {
		env[name] = here.Replace(value)
	}
	variables, err := tm.stack.CI.Environment("github", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range variables {
		// GitHub lets a job ask for statements where its permissions say so.
		if !strings.HasPrefix(v.Name, "ACTIONS_ID_TOKEN_") || w.Permissions["id-token"] == "write" {
			env[v.Name] = v.Value
		}
	}
	var printed strings.Builder
	for _, step := range job.Steps {
		if step.Run == "" {
			if !strings.HasPrefix(step.Uses, "actions/checkout@") {
				t.Errorf("the step %q uses %q, which is not run here", step.Name, step.Uses)
			}
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		command := exec.CommandContext(ctx, "sh", "-e", "-c", here.Replace(step.Run))
		command.Dir = filepath.Join(dir, "work")
		for _, name := range slices.Sorted(maps.Keys(env)) {
			command.Env = append(command.Env, name+"="+env[name])
		}
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", step.Name, err, out)
		}
		printed.Write(out)
	}
	if !strings.Contains(printed.String(), `"value":"42"`) {
		t.Errorf("no row was read:\n%s", printed.String())
	}
	// The token is where it was put, and printed to be masked alone.
	token, ok := strings.CutPrefix(strings.TrimSpace(readFile(t, exported)), "TURSO_AUTH_TOKEN=")
	if !ok || strings.Count(printed.String(), token) != 1 || !strings.Contains(printed.String(), "::add-mask::"+token+"\n") {
		t.Errorf("the token:\n%s", printed.String())
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
}

// buildZen builds zen with the providers that it comes with.
func buildZen(t *testing.T, dir string, providers ...string) {
	t.Helper()
	build := func(out, from string, flags string) {
		t.Helper()
		command := exec.Command("go", "build", "-trimpath", "-tags", "urfave_cli_no_docs", "-ldflags", "-s -w "+flags, "-o", out, from)
		command.Dir, command.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
		if text, err := command.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", from, err, text)
		}
	}
	var sums []string
	for _, name := range providers {
		path := filepath.Join(dir, "zen-provider-"+name)
		build(path, "./plugins/"+name, "")
		sums = append(sums, fmt.Sprintf("%s=%x", name, sha256.Sum256([]byte(readFile(t, path)))))
	}
	build(filepath.Join(dir, "zen"), "./cmd/zen", "-X github.com/zen-auth/zen/internal/cli/client.bundled="+strings.Join(sums, ","))
}
