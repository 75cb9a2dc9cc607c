package clients_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack/clients/npmtest"
	"github.com/zen-auth/zen/devstack/clients/pytest"
	"github.com/zen-auth/zen/devstack/clients/tursotest"
)

// drive runs a program that uses the database as an application would, through each way,
// and checks its output.
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
					t.Errorf("the program printed %s", out)
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
	python := pytest.Install(t, filepath.Join("python", "requirements.txt"))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	drive(t, []string{"libsql", "libsql-client", "sqlalchemy-libsql"}, func(client, table string) *exec.Cmd {
		return exec.CommandContext(ctx, python, filepath.Join("python", "drive.py"), client, table)
	})
}

// The Rust crate takes minutes to compile, so it is only tested on request.
func TestRustClient(t *testing.T) {
	if os.Getenv("ZEN_TEST_RUST") == "" {
		t.Skip("SKIPPED: the Rust crate libsql is compiled and tested with ZEN_TEST_RUST=1.")
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

// Prisma needs its schema engine only for migrations, but would download it for its
// generator, too: a program that does nothing replaces it.
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
