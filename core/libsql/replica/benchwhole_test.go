//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	golibsql "github.com/tursodatabase/go-libsql"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// BenchmarkReplicaFile measures what uses the network, with zen and with go-libsql alone,
// alternating in random order: a first open, a reopen, a write, and a sync of 100,000 rows.
// The metrics are medians, in milliseconds.
func BenchmarkReplicaFile(b *testing.B) {
	stack := devstacktest.Start(b, devstack.Options{})
	src := newSource(b, stack)
	token, err := src.Token(b.Context())
	must(b, err)
	o := options(b, stack, src)
	remote := o
	remote.Mode, remote.Path = libsql.Remote, ""
	far := open(b, remote)
	exec(b, far, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
	exec(b, far, "INSERT INTO t (name) VALUES ('first')")
	paths := 0
	ways := []struct {
		name string
		open func(path string) (db *sql.DB, sync func() error)
	}{
		{"zen", func(path string) (*sql.DB, func() error) {
			o := o
			o.Path = path
			db, err := libsql.Open(b.Context(), o)
			must(b, err)
			return db, func() error { _, err := libsql.Sync(b.Context(), db); return err }
		}},
		{"golibsql", func(path string) (*sql.DB, func() error) {
			connector, err := golibsql.NewEmbeddedReplicaConnector(path, stack.DatabaseURL(), golibsql.WithAuthToken(token.Value.Reveal()))
			must(b, err)
			return sql.OpenDB(connector), func() error { _, err := connector.Sync(); return err }
		}},
	}
	read := func(db *sql.DB) {
		var n int
		must(b, db.QueryRowContext(b.Context(), "SELECT id FROM t LIMIT 1").Scan(&n))
	}
	took := map[string][]float64{}
	timed := func(name string, fn func()) {
		began, cpu := time.Now(), used()
		fn()
		took[name] = append(took[name], float64(time.Since(began).Microseconds())/1000)
		took[name+"-CPU"] = append(took[name+"-CPU"], float64((used()-cpu).Microseconds())/1000)
	}
	for b.Loop() {
		for _, i := range rand.Perm(len(ways)) {
			w := ways[i]
			paths++
			path := filepath.Join(b.TempDir(), fmt.Sprint(paths, ".db"))
			var db *sql.DB
			var sync func() error
			timed("open/"+w.name, func() { db, _ = w.open(path); read(db) })
			must(b, db.Close())
			timed("reopen/"+w.name, func() { db, sync = w.open(path); read(db) })
			for range 10 {
				timed("write/"+w.name, func() { exec(b, db, "INSERT INTO t (name) VALUES ('one')") })
			}
			exec(b, far, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) INSERT INTO t (name) SELECT 'name ' || i FROM n")
			timed("sync/"+w.name, func() { must(b, sync()) })
			must(b, db.Close())
			exec(b, far, "DELETE FROM t WHERE id > 1000")
		}
	}
	b.ReportMetric(0, "ns/op")
	for name, times := range took {
		slices.Sort(times)
		b.ReportMetric(times[len(times)/2], name+"-ms")
	}
}

// used returns the CPU time of this process, including the local stack. On a busy machine it
// varies less than elapsed time.
func used() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // never fails
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
