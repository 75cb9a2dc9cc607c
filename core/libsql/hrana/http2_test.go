package hrana

import (
	"database/sql"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// TestConnections checks that requests share TCP connections: over HTTP/1.1 by keep-alive,
// over HTTP/2 by streams, one of which can be canceled without the others.
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
			if http2 { // closing rows early ends the stream, not the connection
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
			// On a busy machine, net/http drops an HTTP/1.1 connection whose writer takes
			// more than 50 ms to report that it is done.
			few := int32(3)
			if http2 {
				few = 1
			}
			if n := dialed.Load(); n > few || other.Load() != 0 {
				t.Errorf("%d connections, %d requests with another HTTP version", n, other.Load())
			}
		})
	}
}
