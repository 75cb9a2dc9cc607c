package turso

import (
	"crypto/ed25519"
	"net/url"
	"strings"
	"testing"
)

func urlEscape(s string) string { return url.PathEscape(s) }

// FuzzVerify checks that only tokens signed by the server verify, and that each refusal
// has a text that a client can show.
func FuzzVerify(f *testing.F) {
	s, err := New(Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	good := s.mint(claims{Access: "rw", ID: "x"}, 0)
	parts := strings.Split(good, ".")
	for _, seed := range []string{
		good, "", "..", "a.b.c", parts[0] + "." + parts[1] + ".", parts[0] + ".e30." + parts[2], "eyJhbGciOiJub25lIn0.e30.",
		"eyJhbGciOiJIUzI1NiJ9.e30.AA", "eyJhbGciOiJFZERTQSIsImtpZCI6MX0.e30.AA", good + "=", good + ".x", parts[0] + "." + parts[1] + "==." + parts[2],
	} {
		f.Add(seed)
	}
	own := s.state.DatabaseKey.Public().(ed25519.PublicKey)
	f.Fuzz(func(t *testing.T, raw string) {
		g, err := s.verify(t.Context(), raw, own, nil)
		if err == nil && raw != good {
			t.Errorf("%q was accepted: %+v", raw, g)
		}
		if err != nil && s.refusal(err) == err {
			t.Errorf("%q: no answer for %v", raw, err)
		}
	})
}

func FuzzParseKeySet(f *testing.F) {
	for _, seed := range []string{
		`{"keys":[]}`, `{}`, `null`, `[1]`, `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}`,
		`{"keys":[{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := parseKeySet(data)
		if err != nil && keys != nil {
			t.Error("keys and an error")
		}
		tok := token{alg: "RS256", signed: "x", signature: make([]byte, 256)}
		for _, k := range keys {
			tok.alg = k.alg
			if _, ok := tok.signedBy(k); ok {
				t.Errorf("key %+v verifies an invalid signature", k)
			}
		}
	})
}

func FuzzParseExpiration(f *testing.F) {
	for _, seed := range []string{"", "never", "1d", "2w1d30m", "0d", "99999999w", "d", "1", "-1d", "1d1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := parseExpiration(s)
		if d < 0 || err == nil && d == 0 && s != "" && s != "never" {
			t.Errorf("%q: parseExpiration = %v, %v", s, d, err)
		}
	})
}
