package clerk

import (
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestNewRefuses(t *testing.T) {
	for name, opts := range map[string]Options{
		"base URL with a slash":      {BaseURL: "http://127.0.0.1:1/"},
		"base URL with a path":       {BaseURL: "http://127.0.0.1:1/clerk"},
		"base URL without a scheme":  {BaseURL: "127.0.0.1:1"},
		"base URL with userinfo":     {BaseURL: "http://a@127.0.0.1:1"},
		"token version":              {SessionTokenVersion: 3},
		"membership in nothing":      {Users: []User{{Email: "a@b.test", Memberships: []Membership{{Organization: "x"}}}}},
		"user without address":       {Users: []User{{}}},
		"user twice":                 {Users: []User{{Email: "a@b.test"}, {Email: "A@b.test"}}},
		"metadata that is not JSON":  {Users: []User{{Email: "a@b.test", PublicMetadata: map[string]any{"f": func() {}}}}},
		"organization twice":         {Organizations: []Organization{{Slug: "a"}, {Slug: "a"}}},
		"organization without slug":  {Organizations: []Organization{{Name: "a"}}},
		"template with reserved sub": {Templates: []Template{{Name: "t", Claims: json.RawMessage(`{"sub":"x"}`)}}},
		"template with reserved sid": {Templates: []Template{{Name: "t", Claims: json.RawMessage(`{"sid":"x"}`)}}},
		"template that is a list":    {Templates: []Template{{Name: "t", Claims: json.RawMessage(`[]`)}}},
		"template that is null":      {Templates: []Template{{Name: "t", Claims: json.RawMessage(`null`)}}},
		"template and more":          {Templates: []Template{{Name: "t", Claims: json.RawMessage(`{}{}`)}}},
		"template without a name":    {Templates: []Template{{Claims: json.RawMessage(`{}`)}}},
		"template with a slash":      {Templates: []Template{{Name: "a/b", Claims: json.RawMessage(`{}`)}}},
	} {
		t.Run(name, func(t *testing.T) {
			opts.Key = testKey()
			if _, err := New(opts); err == nil {
				t.Error("accepted")
			} else if !strings.HasPrefix(err.Error(), "clerk: ") {
				t.Errorf("error %q", err)
			}
		})
	}
}

func TestKeys(t *testing.T) {
	b := newBench(t)
	host, err := base64.RawStdEncoding.DecodeString(strings.TrimPrefix(b.PublishableKey(), "pk_test_"))
	if err != nil || string(host) != "127.0.0.1:4000$" {
		t.Errorf("publishable key holds %q, %v", host, err)
	}
	if b.Issuer() != testBase || b.BackendURL() != testBase+"/clerk-backend/v1" {
		t.Errorf("issuer %s, Backend API %s", b.Issuer(), b.BackendURL())
	}
	if fresh, err := New(Options{Key: testKey()}); err != nil || !strings.HasPrefix(fresh.SecretKey(), "sk_test_") {
		t.Errorf("secret key %s, %v", fresh.SecretKey(), err)
	}
}

// keySet fetches the public key set.
func (b *bench) keySet() []map[string]string {
	b.t.Helper()
	r := b.do(httptest.NewRequest("GET", "/.well-known/jwks.json", nil))
	b.want(r, 200, "")
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal([]byte(r.raw), &set); err != nil {
		b.t.Fatal(err)
	}
	return set.Keys
}

func TestJWKS(t *testing.T) {
	b := newBench(t)
	keys := b.keySet()
	if len(keys) != 1 {
		t.Fatalf("%d keys", len(keys))
	}
	key := keys[0]
	if key["kid"] != b.ID() || key["kty"] != "RSA" || key["alg"] != "RS256" || key["use"] != "sig" || key["e"] != "AQAB" {
		t.Errorf("key %v", key)
	}
	if len(key) != 6 {
		t.Errorf("the key has unexpected members: %v", key)
	}
	n, err := base64.RawURLEncoding.DecodeString(key["n"])
	if err != nil || new(big.Int).SetBytes(n).Cmp(b.PublicKey().N) != 0 {
		t.Errorf("modulus: %v", err)
	}
	backend := b.server("GET", "/jwks", "")
	if public := b.do(httptest.NewRequest("GET", "/.well-known/jwks.json", nil)); public.raw != backend.raw {
		t.Error("the APIs publish different key sets")
	}
}

func TestRotateKey(t *testing.T) {
	for name, tt := range map[string]struct {
		rotation Rotation
		keys     int
		sameID   bool
	}{
		"as documented": {Rotation{}, 1, true},
		"new id":        {Rotation{NewKeyID: true}, 1, false},
		"overlap":       {Rotation{NewKeyID: true, Overlap: true}, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			clientJWT, id := b.signIn(b.alice)
			old := b.mint(clientJWT, id, "turso")
			if err := b.RotateKey(tt.rotation); err != nil {
				t.Fatal(err)
			}
			keys := b.keySet()
			if len(keys) != tt.keys || (keys[0]["kid"] == b.ID()) != tt.sameID {
				t.Errorf("keys %v", keys)
			}
			if _, err := jwt.Parse(old, func(*jwt.Token) (any, error) { return b.PublicKey(), nil }, jwt.WithTimeFunc(b.now)); err == nil {
				t.Error("a token of the old key verifies with the new one")
			}
			b.want(b.native("POST", "/v1/client/sessions/"+id+"/tokens", clientJWT, nil), 401, "authentication_invalid")
			b.want(b.server("POST", "/sessions/"+id+"/tokens", ""), 404, "resource_not_found")
			clientJWT, id = b.signIn(b.alice)
			token := b.parse(b.mint(clientJWT, id, "turso"))
			if token.Header["kid"] != keys[0]["kid"] {
				t.Errorf("kid %v, published %v", token.Header["kid"], keys[0]["kid"])
			}
		})
	}
}

func TestRotateKeyThatKeepsSessions(t *testing.T) {
	for _, rotation := range []Rotation{{}, {NewKeyID: true, Overlap: true}} {
		b := newBench(t)
		clientJWT, id := b.signIn(b.alice)
		rotation.KeepSessions = true
		for range maxPublished + 1 {
			if err := b.RotateKey(rotation); err != nil {
				t.Fatal(err)
			}
			keys := b.keySet()
			if token := b.parse(b.mint(clientJWT, id, "turso")); token.Header["kid"] != keys[0]["kid"] || len(keys) > maxPublished {
				t.Errorf("kid %v of %d keys", token.Header["kid"], len(keys))
			}
		}
	}
}

func TestGoMethodsRefuse(t *testing.T) {
	b := newBench(t)
	id, err := b.CreateSession(b.alice, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"session of nobody":     func() error { _, err := b.CreateSession("user_x", ""); return err },
		"session in another's":  func() error { _, err := b.CreateSession(b.alice, "globex"); return err },
		"ticket of nobody":      func() error { _, err := b.Ticket("user_x", time.Minute); return err },
		"token of no session":   func() error { _, err := b.SessionToken("sess_x"); return err },
		"template of nothing":   func() error { _, err := b.TemplateToken("sess_x", "turso"); return err },
		"template that is not":  func() error { _, err := b.TemplateToken(id, "nope"); return err },
		"revoking what is not":  func() error { return b.RevokeSession("sess_x") },
		"template with rubbish": func() error { return b.SetTemplate("t", json.RawMessage(`{`), 0) },
	} {
		if err := call(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := b.TemplateToken(id, "turso"); err != nil {
		t.Error(err)
	}
	if err := b.RevokeSession(id); err != nil {
		t.Error(err)
	}
}
