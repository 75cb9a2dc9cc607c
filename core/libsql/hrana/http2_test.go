package hrana

import (
	"database/sql"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// TestConnections: requests share TCP connections, over HTTP/1.1 by keep-alive and over
// HTTP/2 by streams, of which one is canceled without the others.
func TestConnections(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.on("MANY", count(5000))
			var dialed, other atomic.Int32
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if (r.ProtoMajor == 2) != http2 {
					other.Add(1)
				}
				f.ServeHTTP(w, r)
			}))
			server.EnableHTTP2 = http2
			server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
				if s == http.StateNew {
					dialed.Add(1)
				}
			}
			server.StartTLS()
			defer server.Close()
			f.server.Close()
			f.server = server
			c := f.connector()
			db := sql.OpenDB(c)
			defer closeAll(t, db, c)
			for range 20 {
				if _, err := db.Exec("A"); err != nil {
					t.Fatal(err)
				}
				if got, err := numbers(db.Query("MANY")); err != nil || len(got) != 5000 {
					t.Fatalf("%d rows, %v", len(got), err)
				}
				tx, err := db.Begin()
				if err == nil {
					_, err = tx.Exec("A")
				}
				if err == nil {
					err = tx.Commit()
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if http2 { // closed in the middle, a stream ends and the connection stays
				for range 5 {
					rows, err := db.Query("MANY")
					if err != nil || !rows.Next() {
						t.Fatal(err)
					}
					if err := rows.Close(); err != nil {
						t.Error(err)
					}
				}
			}
			// net/http doesn't use a connection of HTTP/1.1 again whose writer takes 50 ms to
			// say that it is done, as on a busy machine.
			few := int32(3)
			if http2 {
				few = 1
			}
			if n := dialed.Load(); n > few || other.Load() != 0 {
				t.Errorf("%d connections, %d requests of another version", n, other.Load())
			}
		})
	}
}
