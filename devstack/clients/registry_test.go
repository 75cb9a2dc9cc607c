package clients_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack/clients/npmtest"
	"github.com/zen-auth/zen/devstack/clients/tursotest"
)

// drive runs a program that uses the database as an application would, by each way, and
// judges what it saw.
func drive(t *testing.T, clients []string, command func(client, table string) *exec.Cmd) {
	t.Helper()
	for i, w := range tursotest.Ways(t) {
		for j, client := range clients {
			t.Run(w.Name+"/"+client, func(t *testing.T) {
				cmd := command(client, "t_"+string(rune('a'+i))+string(rune('a'+j)))
				cmd.Env = append(os.Environ(), "DB_URL="+w.URL, "DB_TOKEN="+w.Token)
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				out, err := cmd.Output()
				if err != nil {
					t.Fatalf("%v\n%s", err, stderr.String())
				}
				var saw struct {
					Version, Unique string
					Rows            []string
				}
				must(t, json.Unmarshal(out, &saw))
				if saw.Unique != "unique" || !slices.Equal(saw.Rows, []string{"first", "second", "third"}) {
					t.Errorf("saw %s", out)
				}
				t.Logf("%s %s", client, saw.Version)
			})
		}
	}
}

func TestNodeClients(t *testing.T) {
	dir := npmtest.Install(t, "node")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	drive(t, []string{"@libsql/client", "@libsql/client/http", "@libsql/client/web", "@tursodatabase/serverless", "drizzle-orm", "kysely"},
		func(client, table string) *exec.Cmd {
			cmd := exec.CommandContext(ctx, "node", "drive.mjs", client, table)
			cmd.Dir = dir
			return cmd
		})
}

func TestPythonClients(t *testing.T) {
	python := virtualenv(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	drive(t, []string{"libsql", "libsql-client", "sqlalchemy-libsql"}, func(client, table string) *exec.Cmd {
		return exec.CommandContext(ctx, python, filepath.Join("python", "drive.py"), client, table)
	})
}

// virtualenv returns the Python of an environment with what requirements.txt names. It
// is made once for each state of that file, in the user's cache.
func virtualenv(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("make test-all has the clients of others")
	}
	system, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("python3 is missing")
		}
		t.Skip("SKIPPED: python3 is missing, so Python's clients can't be tried.")
	}
	requirements, err := os.ReadFile(filepath.Join("python", "requirements.txt"))
	must(t, err)
	version, err := exec.CommandContext(t.Context(), system, "--version").Output()
	must(t, err)
	hash := sha256.Sum256(append(version, requirements...))
	dir := filepath.Join(npmtest.Cache(t), "python-"+hex.EncodeToString(hash[:8]))
	python := filepath.Join(dir, "bin", "python")
	if _, err := os.Stat(filepath.Join(dir, "complete")); err == nil {
		return python
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for _, args := range [][]string{
		{system, "-m", "venv", dir},
		{python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", filepath.Join("python", "requirements.txt")},
	} {
		if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
			}
			t.Skipf("SKIPPED: Python's clients can't be installed: %v\n%s", err, out)
		}
	}
	must(t, os.WriteFile(filepath.Join(dir, "complete"), nil, 0o644))
	return python
}

// The Rust crate takes minutes to be compiled: it is tried where that is asked for.
func TestRustClient(t *testing.T) {
	if os.Getenv("ZEN_TEST_RUST") == "" {
		t.Skip("SKIPPED: the Rust crate libsql is compiled and tried with ZEN_TEST_RUST=1.")
	}
	target := filepath.Join(npmtest.Cache(t), "rust")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	build := exec.CommandContext(ctx, "cargo", "build", "--release", "--locked", "--target-dir", target)
	build.Dir = "rust"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cargo build: %v\n%s", err, out)
	}
	for i, w := range tursotest.Ways(t) {
		for _, mode := range []string{"remote", "replica", "synced"} {
			t.Run(w.Name+"/"+mode, func(t *testing.T) {
				cmd := exec.CommandContext(ctx, filepath.Join(target, "release", "libsql-drive"), mode, filepath.Join(t.TempDir(), "r.db"))
				cmd.Env = append(os.Environ(), "DB_URL="+w.URL, "DB_TOKEN="+w.Token, "DB_TABLE="+string(rune('a'+i)))
				out, err := cmd.CombinedOutput()
				if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "2 y 00FF\ntrue") {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
	}
}

// Prisma needs its schema engine for migrations alone, and would download it for its
// generator, too: a program that does nothing stands for it.
func TestPrisma(t *testing.T) {
	dir := npmtest.Install(t, "prisma")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	generate := exec.CommandContext(ctx, "npx", "prisma", "generate", "--schema", "schema.prisma")
	generate.Dir = dir
	nothing, err := exec.LookPath("true")
	must(t, err)
	generate.Env = append(os.Environ(), "PRISMA_SCHEMA_ENGINE_BINARY="+nothing)
	if out, err := generate.CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: Prisma's client can't be generated: %v\n%s", err, out)
	}
	drive(t, []string{"@prisma/adapter-libsql"}, func(string, string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "node", "prisma.mjs")
		cmd.Dir = dir
		return cmd
	})
}
