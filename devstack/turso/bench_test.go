package turso

import (
	"crypto"
	"crypto/ed25519"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkSelect1 is what the server takes for a pipeline of SELECT 1 with a
// Clerk token, without the network.
func BenchmarkSelect1(b *testing.B) {
	f := newFixture(b, Options{})
	iss := newIssuer(b, map[string]crypto.Signer{"k": rsaKeys()[0]})
	must(b, f.RegisterJWKS("acme", "clerk", iss.url))
	token := "Bearer " + signWith(b, rsaKeys()[0], "k", f.claims(nil))
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/dbs/app/v2/pipeline", strings.NewReader(select1))
		r.Header.Set("Authorization", token)
		if f.ServeHTTP(w, r); w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}

// BenchmarkSelect1Loopback includes net/http on both sides and the loopback.
func BenchmarkSelect1Loopback(b *testing.B) { loopback(b, "SELECT 1", 100) }

// BenchmarkRead1000Loopback reads 1,000 rows of an id, a text and a float.
func BenchmarkRead1000Loopback(b *testing.B) { loopback(b, "SELECT * FROM t", 50_000) }

func loopback(b *testing.B, sql string, least int64) {
	f := newFixture(b, Options{})
	tok, err := f.CreateDatabaseToken("acme", "app", TokenOptions{})
	must(b, err)
	f.do("POST", "/dbs/app/v2/pipeline", tok, `{"requests":[{"type":"sequence","sql":"CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, f REAL); INSERT INTO t (name, f) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 1000) SELECT 'row number ' || i, i / 7.0 FROM n"}]}`)
	body := `{"requests":[{"type":"execute","stmt":{"sql":"` + sql + `"}},{"type":"close"}]}`
	for b.Loop() {
		req, err := http.NewRequest("POST", f.url+"/dbs/app/v2/pipeline", strings.NewReader(body))
		must(b, err)
		req.Header.Set("Authorization", "Bearer "+tok)
		resp, err := http.DefaultClient.Do(req)
		must(b, err)
		n, err := io.Copy(io.Discard, resp.Body)
		must(b, err)
		resp.Body.Close()
		if resp.StatusCode != 200 || n < least {
			b.Fatal(resp.Status, n)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// BenchmarkVerify is the first use of a token: an RS256 signature.
func BenchmarkVerify(b *testing.B) {
	f := newFixture(b, Options{})
	iss := newIssuer(b, map[string]crypto.Signer{"k": rsaKeys()[0]})
	token := signWith(b, rsaKeys()[0], "k", f.claims(nil))
	own := newKey()
	for b.Loop() {
		if _, err := f.verify(b.Context(), token, own.Public().(ed25519.PublicKey), []string{iss.url}); err != nil {
			b.Fatal(err)
		}
	}
}
