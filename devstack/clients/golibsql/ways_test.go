package golibsql

import (
	"database/sql"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/tursodatabase/go-libsql"

	"github.com/zen-auth/zen/devstack/clients/tursotest"
)

// The exported URL as it is, and `zen proxy`, in each of the client's modes.
func TestWays(t *testing.T) {
	for _, w := range tursotest.Ways(t) {
		t.Run(w.Name+"/remote", func(t *testing.T) {
			db, err := sql.Open("libsql", w.URL+"?authToken="+url.QueryEscape(w.Token))
			must(t, err)
			defer db.Close()
			tursotest.Use(t, db, "remote_"+w.Name)
		})
		t.Run(w.Name+"/replica", func(t *testing.T) {
			c, err := openConnector(filepath.Join(t.TempDir(), "r.db"), w.URL, w.Token)
			must(t, err)
			db := sql.OpenDB(c)
			defer db.Close()
			tursotest.Use(t, db, "replica_"+w.Name)
		})
		t.Run(w.Name+"/synced", func(t *testing.T) {
			c, err := libsql.NewSyncedDatabaseConnector(filepath.Join(t.TempDir(), "s.db"), w.URL, libsql.WithAuthToken(w.Token))
			must(t, err)
			db := sql.OpenDB(c)
			defer db.Close()
			_, err = c.Sync()
			must(t, err)
			tursotest.Use(t, db, "synced_"+w.Name)
			_, err = c.Sync()
			must(t, err)
		})
	}
}
