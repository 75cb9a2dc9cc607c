package openbao_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/turso"
)

// BenchmarkServer compares reads of creds/NAME with those of a kv secret on the same
// server, and with what the stand-in of Turso takes to make a token by itself:
// (Creds - Mint) / KV is to be at most 2. Login has a cached answer of Clerk's.
func BenchmarkServer(b *testing.B) {
	tm := newTeam(b)
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
			for b.Loop() {
				if err := bench.do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// maxLife is what a role that says nothing gives a token.
const maxLife = 15 * time.Minute
