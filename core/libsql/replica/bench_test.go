//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	golibsql "github.com/tursodatabase/go-libsql"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// BenchmarkReplica reads from a replica of the same database, with zen and with go-libsql
// alone.
func BenchmarkReplica(b *testing.B) {
	stack := devstacktest.Start(b, devstack.Options{})
	src := newSource(b, stack)
	o := options(b, stack, src)
	ours := open(b, o)
	exec(b, ours, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n INTEGER, x REAL)")
	exec(b, ours, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO t SELECT i, 'name ' || i, i, i * 0.5 FROM n")
	token, err := src.Token(b.Context())
	must(b, err)
	connector, err := golibsql.NewEmbeddedReplicaConnector(filepath.Join(b.TempDir(), "bare.db"), stack.DatabaseURL(), golibsql.WithAuthToken(token.Value.Reveal()))
	must(b, err)
	bare := sql.OpenDB(connector)
	defer bare.Close()
	for _, peer := range []struct {
		name string
		db   *sql.DB
	}{{"zen", ours}, {"golibsql", bare}} {
		b.Run("row/"+peer.name, func(b *testing.B) {
			for i := range b.N {
				var name string
				if err := peer.db.QueryRowContext(b.Context(), "SELECT name FROM t WHERE id = ?", i%1000+1).Scan(&name); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("rows/"+peer.name, func(b *testing.B) {
			for range b.N {
				rows, err := peer.db.QueryContext(b.Context(), "SELECT id, name, n, x FROM t LIMIT 100")
				must(b, err)
				for rows.Next() {
					var id, n int
					var name string
					var x float64
					if err := rows.Scan(&id, &name, &n, &x); err != nil { // must would take a fifth of the time
						b.Fatal(err)
					}
				}
				must(b, rows.Err())
				must(b, rows.Close())
			}
		})
	}
}
