package gateway_test

import (
	"database/sql"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/gateway"
)

// BenchmarkSelect1 runs a statement directly and through a gateway.
func BenchmarkSelect1(b *testing.B) {
	const answer = `{"baton":null,"base_url":null,"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[{"name":"1","decltype":null}],"rows":[[{"type":"integer","value":"1"}]],"affected_row_count":0,"last_insert_rowid":null}}},{"type":"ok","response":{"type":"close"}}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, answer)
	}))
	defer server.Close()
	direct, err := url.Parse(server.URL)
	if err != nil {
		b.Fatal(err)
	}
	s, err := gateway.Listen(b.Context(), gateway.Config{Address: direct, Transport: tokens{http.DefaultTransport}})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close(b.Context())
	through, err := url.Parse(s.URL())
	if err != nil {
		b.Fatal(err)
	}
	for _, way := range []struct {
		name      string
		url       *url.URL
		transport http.RoundTripper
	}{{"direct", direct, http.DefaultTransport}, {"gateway", through, shows{s.Bearer()}}} {
		b.Run(way.name, func(b *testing.B) {
			c, err := hrana.NewConnector(hrana.Config{URL: way.url, Transport: way.transport})
			if err != nil {
				b.Fatal(err)
			}
			db := sql.OpenDB(c)
			defer db.Close()
			for range b.N {
				var n int
				if err := db.QueryRowContext(b.Context(), "SELECT 1").Scan(&n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// shows is a client's transport.
type shows struct{ bearer provider.Secret }

func (s shows) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+s.bearer.Reveal())
	return http.DefaultTransport.RoundTrip(r)
}
