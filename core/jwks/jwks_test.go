package jwks_test

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
	"github.com/zen-auth/zen/core/provider"
)

const (
	issuerURL = "https://clerk.example.com"
	kid       = "ins_2abc"
)

// now is the time of every test that doesn't set another.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Keys are made once: RSA takes its time.
var (
	rsaKey      = sync.OnceValue(func() *rsa.PrivateKey { return newRSA(2048) })
	otherRSAKey = sync.OnceValue(func() *rsa.PrivateKey { return newRSA(2048) })
)

func newRSA(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

func newEC(curve elliptic.Curve) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// jwk is the public JWK of a key.
func jwk(kid string, public crypto.PublicKey) map[string]any {
	m := map[string]any{"kid": kid, "use": "sig"}
	switch public := public.(type) {
	case *rsa.PublicKey:
		m["kty"], m["alg"] = "RSA", "RS256"
		m["n"], m["e"] = b64(public.N.Bytes()), b64(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := public.Bytes()
		if err != nil {
			panic(err)
		}
		half := (len(point) - 1) / 2
		m["kty"], m["crv"] = "EC", public.Curve.Params().Name
		m["x"], m["y"] = b64(point[1:1+half]), b64(point[1+half:])
	case ed25519.PublicKey:
		m["kty"], m["crv"], m["x"] = "OKP", "Ed25519", b64(public)
	}
	return m
}

func keySet(keys ...map[string]any) []byte {
	set, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		panic(err)
	}
	return set
}

// issuer serves a key set that a test can replace, and counts.
type issuer struct {
	*httptest.Server
	fetches atomic.Int32
	mu      sync.Mutex
	handler http.HandlerFunc
}

func newIssuer(t testing.TB, keys ...map[string]any) *issuer {
	i := &issuer{}
	i.publish(keys...)
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.fetches.Add(1)
		i.mu.Lock()
		handler := i.handler
		i.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) serve(h http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.handler = h
}

func (i *issuer) publish(keys ...map[string]any) {
	set := keySet(keys...)
	i.serve(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(set) })
}

func (i *issuer) fetched(t *testing.T, want int32) {
	t.Helper()
	if got := i.fetches.Load(); got != want {
		t.Fatalf("%d fetches of the key set, want %d", got, want)
	}
}

func newSet(t testing.TB, url string, opts jwks.SetOptions) *jwks.Set {
	t.Helper()
	if opts.Now == nil {
		opts.Now = func() time.Time { return now }
	}
	set, err := jwks.NewSet(url, opts)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func clerkPolicy() jwks.Policy {
	return jwks.Policy{
		Issuer: issuerURL, Algorithms: []string{"RS256"}, Types: []string{"JWT"},
		Categories: []string{"cl_B7d4PD111AAA", "cl_B7d4PD222AAA", "cl_I7d4PD111III"},
	}
}

func newVerifier(t testing.TB, set *jwks.Set, policy jwks.Policy) *jwks.Verifier {
	t.Helper()
	v, err := jwks.NewVerifier(set, policy)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// good is the payload of a template token as Clerk makes it.
func good() jwt.MapClaims {
	return jwt.MapClaims{
		"iss": issuerURL, "sub": "user_37jA", "azp": "https://app.example", "jti": "1f",
		"iat": now.Unix(), "nbf": now.Unix() - 10, "exp": now.Unix() + 600,
		"id": "33057661-834e-4891-9b48-802d425d02b9", "a": "rw", "perm": []any{}, "rid": "b2043790",
	}
}

func with(claims jwt.MapClaims, changes map[string]any) jwt.MapClaims {
	claims = maps.Clone(claims)
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

// sign makes a token; header values that are nil are left out.
func sign(t testing.TB, method jwt.SigningMethod, key any, header map[string]any, claims jwt.Claims) provider.Secret {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	token.Header["kid"] = kid
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

func signRS256(t testing.TB, claims jwt.Claims) provider.Secret {
	return sign(t, jwt.SigningMethodRS256, rsaKey(), nil, claims)
}
