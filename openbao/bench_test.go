package openbao_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/turso"
)

// BenchmarkServer compares reads of creds/NAME with those of a kv secret on the same
// server, with what the stand-in of Turso takes to make a token by itself, and with what an
// engine costs that does nothing: (Creds - Mint) / KV was to be at most 2, and Lease / KV is
// what the server has it be. Login has a cached answer of Clerk's.
func BenchmarkServer(b *testing.B) {
	tm := newTeam(b)
	const floor = "floor"
	command := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(buildDir, floor), "./testdata/floor")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	if err := tm.Register(b.Context(), "secret", floor, filepath.Join(buildDir, floor), ""); err != nil {
		b.Fatal(err)
	}
	tm.write("sys/mounts/floor", object{"type": floor})
	tm.write("turso/roles/app", object{"database": "app"})
	tm.write("kv/app", object{"token": "value"})
	alice := tm.stack.Clerk.UserID("alice@example.test")
	tm.write("auth/clerk/role/app", object{"bound_subjects": alice, "token_ttl": "1m", "token_type": "batch"})
	key := clerkPost(b, tm.stack, "/api_keys", object{"name": "key", "subject": alice})["secret"]
	direct, err := turso.New(turso.Options{BaseURL: tm.stack.URL(), Token: func(context.Context) (string, error) { return tm.stack.APIToken(), nil }})
	if err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct {
		name string
		do   func() error
	}{
		{"KV", func() error { _, err := tm.Read(b.Context(), "kv/app"); return err }},
		{"Plugin", func() error { _, err := tm.Read(b.Context(), "floor/plain"); return err }},
		{"Lease", func() error { _, err := tm.Read(b.Context(), "floor/lease"); return err }},
		{"Creds", func() error { _, err := tm.creds(tm.Client, "app"); return err }},
		{"Mint", func() error {
			_, err := direct.CreateDatabaseToken(b.Context(), "acme", "app", turso.TokenOptions{Expiration: maxLife, Authorization: turso.ReadOnly})
			return err
		}},
		{"Login", func() error {
			return tm.Call(b.Context(), http.MethodPost, "auth/clerk/login", object{"role": "app", "api_key": key}, nil)
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			var took []time.Duration // its median is what a busy machine changes least
			for b.Loop() {
				began := time.Now()
				if err := bench.do(); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "median-µs")
		})
	}
}

// maxLife is what a role that says nothing gives a token.
const maxLife = 15 * time.Minute
