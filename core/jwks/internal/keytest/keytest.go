// Package keytest makes keys, key sets, tokens and an issuer for the tests of package jwks
// and its subpackages.
package keytest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/jwks/keyset"
	"github.com/zen-auth/zen/core/provider"
)

// The issuer and the key ID of a token, unless a test sets others.
const (
	IssuerURL = "https://clerk.example.com"
	Kid       = "ins_2abc"
)

// Now is the time in a test, unless it sets another.
var Now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Keys are made once, since making an RSA key is slow.
var (
	RSAKey      = sync.OnceValue(func() *rsa.PrivateKey { return NewRSA(2048) })
	OtherRSAKey = sync.OnceValue(func() *rsa.PrivateKey { return NewRSA(2048) })
)

// NewRSA makes a key.
func NewRSA(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

// NewEC makes a key.
func NewEC(curve elliptic.Curve) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// B64 is base64url without padding.
func B64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// JWK returns the public JWK of a key.
func JWK(kid string, public crypto.PublicKey) map[string]any {
	m := map[string]any{"kid": kid, "use": "sig"}
	switch public := public.(type) {
	case *rsa.PublicKey:
		m["kty"], m["alg"] = "RSA", "RS256"
		m["n"], m["e"] = B64(public.N.Bytes()), B64(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := public.Bytes()
		if err != nil {
			panic(err)
		}
		half := (len(point) - 1) / 2
		m["kty"], m["crv"] = "EC", public.Curve.Params().Name
		m["x"], m["y"] = B64(point[1:1+half]), B64(point[1+half:])
	case ed25519.PublicKey:
		m["kty"], m["crv"], m["x"] = "OKP", "Ed25519", B64(public)
	}
	return m
}

// KeySet returns a JWK Set.
func KeySet(keys ...map[string]any) []byte {
	set, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		panic(err)
	}
	return set
}

// Issuer serves a key set that a test can replace, and counts the fetches.
type Issuer struct {
	*httptest.Server
	Fetches atomic.Int32
	mu      sync.Mutex
	handler http.HandlerFunc
}

// NewIssuer starts an issuer that is stopped at the end of the test.
func NewIssuer(t testing.TB, keys ...map[string]any) *Issuer {
	i := &Issuer{}
	i.Publish(keys...)
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.Fetches.Add(1)
		i.mu.Lock()
		handler := i.handler
		i.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(i.Close)
	return i
}

// Serve replaces the handler.
func (i *Issuer) Serve(h http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.handler = h
}

// Publish replaces the key set.
func (i *Issuer) Publish(keys ...map[string]any) {
	set := KeySet(keys...)
	i.Serve(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(set) })
}

// Fetched fails the test unless the key set was fetched want times.
func (i *Issuer) Fetched(t *testing.T, want int32) {
	t.Helper()
	if got := i.Fetches.Load(); got != want {
		t.Fatalf("%d fetches of the key set, want %d", got, want)
	}
}

// NewSet returns the key set at a URL.
func NewSet(t testing.TB, url string, opts keyset.Options) *keyset.Set {
	t.Helper()
	if opts.Now == nil {
		opts.Now = func() time.Time { return Now }
	}
	set, err := keyset.New(url, opts)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// ClerkPolicy returns a policy that accepts the tokens of Good.
func ClerkPolicy() jwks.Policy {
	return jwks.Policy{
		Issuer: IssuerURL, Algorithms: []string{"RS256"}, Types: []string{"JWT"},
		Categories: []string{"cl_B7d4PD111AAA", "cl_B7d4PD222AAA", "cl_I7d4PD111III"},
	}
}

// NewVerifier returns a verifier whose time is Now, unless the policy has a clock.
func NewVerifier(t testing.TB, set jwks.Source, policy jwks.Policy) *jwks.Verifier {
	t.Helper()
	if policy.Now == nil {
		policy.Now = func() time.Time { return Now }
	}
	v, err := jwks.NewVerifier(set, policy)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Good returns the claims of a template token as Clerk issues it.
func Good() jwt.MapClaims {
	return jwt.MapClaims{
		"iss": IssuerURL, "sub": "user_37jA", "azp": "https://app.example", "jti": "1f",
		"iat": Now.Unix(), "nbf": Now.Unix() - 10, "exp": Now.Unix() + 600,
		"id": "33057661-834e-4891-9b48-802d425d02b9", "a": "rw", "perm": []any{}, "rid": "b2043790",
	}
}

// With returns claims with changes; those set to nil are removed.
func With(claims jwt.MapClaims, changes map[string]any) jwt.MapClaims {
	claims = maps.Clone(claims)
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

// Sign signs a token; header values that are nil are left out.
func Sign(t testing.TB, method jwt.SigningMethod, key any, header map[string]any, claims jwt.Claims) provider.Secret {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	token.Header["kid"] = Kid
	for name, value := range header {
		if token.Header[name] = value; value == nil {
			delete(token.Header, name)
		}
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return provider.NewSecret(text)
}

// SignRS256 signs a token with RSAKey.
func SignRS256(t testing.TB, claims jwt.Claims) provider.Secret {
	return Sign(t, jwt.SigningMethodRS256, RSAKey(), nil, claims)
}
