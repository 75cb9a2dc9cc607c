package jwks_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/jwks/keyset"
	"github.com/zen-auth/zen/core/provider"
)

// A server verifies its callers' tokens against the key set of their issuer.
func ExampleVerifier() {
	// The issuer, in this example.
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":%q}]}`, base64.RawURLEncoding.EncodeToString(public))
	}))
	defer issuer.Close()
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{
		"iss": "https://issuer.example", "sub": "alice", "exp": time.Now().Add(time.Minute).Unix(),
	})
	token.Header["kid"] = "1"
	signed, err := token.SignedString(private)
	if err != nil {
		log.Fatal(err)
	}

	// The server. The first token makes it fetch the keys; later ones need no network.
	keys, err := keyset.New(issuer.URL, keyset.Options{})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := jwks.NewVerifier(keys, jwks.Policy{Issuer: "https://issuer.example", Algorithms: []string{"EdDSA"}})
	if err != nil {
		log.Fatal(err)
	}
	claims, err := verifier.Verify(context.Background(), provider.NewSecret(signed))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(claims.Subject, claims.Algorithm)
	// Output: alice EdDSA
}
