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
func BenchmarkSelect1Loopback(b *testing.B) {
	f := newFixture(b, Options{})
	tok, err := f.CreateDatabaseToken("acme", "app", TokenOptions{})
	must(b, err)
	for b.Loop() {
		req, err := http.NewRequest("POST", f.url+"/dbs/app/v2/pipeline", strings.NewReader(select1))
		must(b, err)
		req.Header.Set("Authorization", "Bearer "+tok)
		resp, err := http.DefaultClient.Do(req)
		must(b, err)
		_, err = io.Copy(io.Discard, resp.Body)
		must(b, err)
		resp.Body.Close()
		if resp.StatusCode != 200 {
			b.Fatal(resp.Status)
		}
	}
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
