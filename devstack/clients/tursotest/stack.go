// Package tursotest starts a Turso for tests of its clients.
package tursotest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/devstack/turso"
)

// Stack is a Turso with the user alice, her organization acme and its database
// app, and an issuer of tokens that may be registered there.
type Stack struct {
	*turso.Server
	Faults   *fault.Set
	URL      string // of the server
	APIToken string
	Keys     string // URL of the issuer's key set

	now func() time.Time
	key *rsa.PrivateKey
}

// New starts a stack that ends with the test.
func New(t testing.TB, o turso.Options) *Stack {
	t.Helper()
	s := &Stack{Faults: fault.NewSet(fault.Known()...), now: o.Now}
	if s.now == nil {
		s.now = time.Now
	}
	o.Faults = s.Faults
	var err error
	s.Server, err = turso.New(o)
	must(t, err)
	server := httptest.NewServer(s.Server)
	t.Cleanup(func() {
		s.Leave()
		server.Close()
		must(t, s.Close())
	})
	s.URL = server.URL
	s.SetHost(strings.TrimPrefix(server.URL, "http://"))
	must(t, s.CreateUser("alice", "alice@acme.test"))
	must(t, s.CreateOrganization(turso.Organization{Slug: "acme", Members: []string{"alice"}}))
	_, err = s.CreateDatabase("acme", "app")
	must(t, err)
	s.APIToken, err = s.CreateAPIToken("alice", turso.APIToken{Name: "test"})
	must(t, err)

	s.key, err = rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	enc := base64.RawURLEncoding.EncodeToString
	set, err := json.Marshal(map[string]any{"keys": []any{map[string]string{
		"use": "sig", "kty": "RSA", "alg": "RS256", "kid": "ins_1",
		"n": enc(s.key.N.Bytes()), "e": enc(big.NewInt(int64(s.key.E)).Bytes()),
	}}})
	must(t, err)
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(set) }))
	t.Cleanup(issuer.Close)
	s.Keys = issuer.URL + "/.well-known/jwks.json"
	return s
}

// JWT returns a token of the issuer for the database app, as Clerk makes it from
// the template that Turso prints. Without a lifetime it is good for a minute.
func (s *Stack) JWT(t testing.TB, o turso.TokenOptions) string {
	t.Helper()
	claims, err := s.Template("acme", "app", o)
	must(t, err)
	claims["sub"], claims["iss"] = "user_1", "https://clerk.acme.test"
	if o.Lifetime == 0 {
		o.Lifetime = time.Minute
	}
	claims["iat"], claims["exp"] = s.now().Unix(), s.now().Add(o.Lifetime).Unix()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims(claims))
	token.Header["kid"] = "ins_1"
	signed, err := token.SignedString(s.key)
	must(t, err)
	return signed
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
