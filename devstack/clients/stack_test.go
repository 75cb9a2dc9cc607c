// Package clients_test drives the stack with the clients that people use:
// unmodified, as they come out of their registries.
package clients_test

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

// stack is a Turso with one user, organization and database, and an issuer whose
// tokens the database accepts.
type stack struct {
	*turso.Server
	faults   *fault.Set
	url      string // of the server
	apiToken string
	keys     string // URL of the issuer's key set
	key      *rsa.PrivateKey
}

func newStack(t *testing.T) *stack {
	t.Helper()
	s := &stack{faults: fault.NewSet(fault.Known()...)}
	var err error
	s.Server, err = turso.New(turso.Options{Faults: s.faults})
	must(t, err)
	server := httptest.NewServer(s.Server)
	t.Cleanup(func() {
		server.Close()
		must(t, s.Close())
	})
	s.url = server.URL
	s.SetHost(strings.TrimPrefix(server.URL, "http://"))
	must(t, s.CreateUser("alice", "alice@acme.test"))
	must(t, s.CreateOrganization(turso.Organization{Slug: "acme", Members: []string{"alice"}}))
	_, err = s.CreateDatabase("acme", "app")
	must(t, err)
	s.apiToken, err = s.CreateAPIToken("alice", turso.APIToken{Name: "test"})
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
	s.keys = issuer.URL + "/.well-known/jwks.json"
	return s
}

// jwt returns a token of the issuer for the database app, as Clerk makes it from
// the template that Turso prints.
func (s *stack) jwt(t *testing.T, o turso.TokenOptions) string {
	t.Helper()
	claims, err := s.Template("acme", "app", o)
	must(t, err)
	claims["sub"], claims["iss"] = "user_1", "https://clerk.acme.test"
	claims["iat"], claims["exp"] = time.Now().Unix(), time.Now().Add(time.Minute).Unix()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims(claims))
	token.Header["kid"] = "ins_1"
	signed, err := token.SignedString(s.key)
	must(t, err)
	return signed
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
