// Package modes opens a database in each of zen's modes, for tests.
package modes

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/zen-auth/zen/core/libsql"
	_ "github.com/zen-auth/zen/core/libsql/replica" // modes replica and local
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// source returns one token, which outlives the test.
type source struct{ token provider.Token }

func (s source) Token(context.Context) (provider.Token, error) { return s.token, nil }

func (s source) Renew(context.Context, provider.Token) (provider.Token, error) { return s.token, nil }

// Each runs a test against a remote database, a replica and a local file.
func Each(t *testing.T, test func(*testing.T, *sql.DB)) {
	for _, mode := range libsql.Modes() {
		t.Run(string(mode), func(t *testing.T) {
			o := libsql.Options{Target: provider.Target{URL: "file:" + filepath.Join(t.TempDir(), "local.db")}}
			if mode != libsql.Local {
				stack := devstacktest.Start(t, devstack.Options{})
				token := devstacktest.Token(t, stack, "alice@example.test", devstack.Template)
				o.Target = provider.Target{URL: stack.DatabaseURL(), DatabaseID: stack.DatabaseID()}
				o.Source = source{provider.Token{Value: provider.NewSecret(token)}}
			}
			if mode == libsql.Replica {
				o.Path = filepath.Join(t.TempDir(), "replica.db")
			}
			db, err := libsql.Open(t.Context(), o)
			Must(t, err)
			t.Cleanup(func() { Must(t, db.Close()) })
			test(t, db)
		})
	}
}

// Must fails the test on an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
