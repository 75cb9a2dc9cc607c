package jwks_test

import (
	"context"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/jwks/internal/keytest"
	"github.com/zen-auth/zen/core/jwks/keyset"
	"github.com/zen-auth/zen/core/provider"
)

// A verifier is made from a key set's URL, without a fetch. (spike A1)
func TestNewVerifier(t *testing.T) {
	issuer := keytest.NewIssuer(t, keytest.JWK(keytest.Kid, keytest.RSAKey().Public()))
	keytest.NewVerifier(t, keytest.NewSet(t, issuer.URL, keyset.Options{}), keytest.ClerkPolicy())
	issuer.Fetched(t, 0)

	for name, policy := range map[string]jwks.Policy{
		"no issuer":             {Algorithms: []string{"RS256"}},
		"no algorithms":         {Issuer: keytest.IssuerURL},
		"the algorithm none":    {Issuer: keytest.IssuerURL, Algorithms: []string{"none"}},
		"a symmetric algorithm": {Issuer: keytest.IssuerURL, Algorithms: []string{"RS256", "HS256"}},
	} {
		if _, err := jwks.NewVerifier(keytest.NewSet(t, issuer.URL, keyset.Options{}), policy); err == nil {
			t.Errorf("%s: NewVerifier returned no error", name)
		}
	}
	for _, url := range []string{"http://clerk.example/jwks", "https://u@clerk.example/", "https://", "file:///etc/keys", "https://a.example/#x", "::"} {
		if _, err := keyset.New(url, keyset.Options{}); !errors.Is(err, provider.ErrConfig) {
			t.Errorf("New(%q) = %v, want ErrConfig", url, err)
		}
	}
}

// A Clerk token verifies, and all its claims are returned. (spike A2)
func TestVerifyReadsClaims(t *testing.T) {
	issuer := keytest.NewIssuer(t, keytest.JWK(keytest.Kid, keytest.RSAKey().Public()))
	v := keytest.NewVerifier(t, keytest.NewSet(t, issuer.URL, keyset.Options{}), keytest.ClerkPolicy())
	token := keytest.Sign(t, jwt.SigningMethodRS256, keytest.RSAKey(), map[string]any{"cat": "cl_B7d4PD111AAA", "oiat": 5}, jwt.MapClaims{
		"iss": keytest.IssuerURL, "sub": "user_1", "sid": "sess_1", "iat": keytest.Now.Unix(), "nbf": keytest.Now.Unix(), "exp": keytest.Now.Unix() + 60,
		"org_id": "org_1", "org_slug": "acme", "org_role": "org:admin", "org_permissions": []string{"org:teams:read"},
	})
	got, err := v.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	want := provider.Claims{
		Algorithm: "RS256", KeyID: keytest.Kid, Type: "JWT", Category: "cl_B7d4PD111AAA",
		Issuer: keytest.IssuerURL, Subject: "user_1", Session: "sess_1",
		Issued: keytest.Now, NotBefore: keytest.Now, Expires: keytest.Now.Add(time.Minute),
		Organization: &provider.Organization{ID: "org_1", Slug: "acme", Role: "org:admin", Permissions: []string{"org:teams:read"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// An expired token fails with ErrTokenExpired. (spike A3)
func TestVerifyExpired(t *testing.T) {
	issuer := keytest.NewIssuer(t, keytest.JWK(keytest.Kid, keytest.RSAKey().Public()))
	v := keytest.NewVerifier(t, keytest.NewSet(t, issuer.URL, keyset.Options{}), keytest.ClerkPolicy())
	for _, test := range []struct {
		age  time.Duration
		want error
	}{
		{-time.Minute, nil},
		{jwks.Skew - time.Second, nil},
		{jwks.Skew, provider.ErrTokenExpired},
		{24 * time.Hour, provider.ErrTokenExpired},
	} {
		_, err := v.Verify(t.Context(), keytest.SignRS256(t, keytest.With(keytest.Good(), map[string]any{"nbf": 0, "exp": keytest.Now.Add(-test.age).Unix()})))
		if !errors.Is(err, test.want) {
			t.Errorf("expired %s ago: %v, want %v", test.age, err, test.want)
		}
	}
}

// If a token that was issued just now seems expired or not yet valid, this machine's clock is
// wrong.
func TestJustIssuedNamesTheClock(t *testing.T) {
	issuer := keytest.NewIssuer(t, keytest.JWK(keytest.Kid, keytest.RSAKey().Public()))
	stored := keytest.NewVerifier(t, keytest.NewSet(t, issuer.URL, keyset.Options{}), keytest.ClerkPolicy())
	for ahead, want := range map[time.Duration]string{
		91 * time.Second: "this machine's clock is 1m31s ahead of that of " + keytest.IssuerURL + ": verify token: expired",
		-time.Hour:       "this machine's clock is 1h0m0s behind that of " + keytest.IssuerURL,
		5 * time.Second:  "",
	} {
		made := keytest.Now.Add(-ahead)
		token := keytest.SignRS256(t, keytest.With(keytest.Good(), map[string]any{"iat": made.Unix(), "nbf": made.Unix(), "exp": made.Add(time.Minute).Unix()}))
		_, err := stored.JustIssued().ExceptSignature().Verify(t.Context(), token)
		if (err == nil) != (want == "") || err != nil && (!strings.HasPrefix(err.Error(), want) || provider.Hint(err) != "set the clock") {
			t.Errorf("clock ahead by %s: %v", ahead, err)
		}
		if _, err := stored.Verify(t.Context(), token); err != nil && strings.Contains(err.Error(), "this machine's clock") {
			t.Errorf("%s: a stored token: the error blames the clock: %v", ahead, err)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	key := keytest.RSAKey()
	pkix, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix})
	rs256 := func(changes map[string]any) provider.Secret {
		return keytest.SignRS256(t, keytest.With(keytest.Good(), changes))
	}
	header := func(changes map[string]any) provider.Secret {
		return keytest.Sign(t, jwt.SigningMethodRS256, key, changes, keytest.Good())
	}
	valid := rs256(nil).Reveal()
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}

	tests := []struct {
		name  string
		token provider.Secret
		says  string
	}{
		{"alg none", keytest.Sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, keytest.Good()), "algorithm is not RS256"},
		{"HS256 with the public key", keytest.Sign(t, jwt.SigningMethodHS256, public, nil, keytest.Good()), "algorithm is not RS256"},
		{"HS256 with the modulus", keytest.Sign(t, jwt.SigningMethodHS256, key.N.Bytes(), nil, keytest.Good()), "algorithm is not RS256"},
		{"unknown alg", provider.NewSecret(keytest.B64([]byte(`{"alg":"XX256"}`)) + "." + keytest.B64([]byte(`{"iss":"x"}`)) + ".AA"), "algorithm is not RS256"},
		{"EdDSA with the kid", keytest.Sign(t, jwt.SigningMethodEdDSA, edKey, nil, keytest.Good()), "algorithm is not RS256"},
		{"PS256 with the key", keytest.Sign(t, jwt.SigningMethodPS256, key, nil, keytest.Good()), "algorithm is not RS256"},
		{"other issuer, same kid", rs256(map[string]any{"iss": "https://clerk.evil.example"}), `issuer is not "https://clerk.example.com"`},
		{"issuer with slash", rs256(map[string]any{"iss": keytest.IssuerURL + "/"}), "issuer is not"},
		{"no issuer", rs256(map[string]any{"iss": nil}), "issuer is not"},
		{"other key, same kid", keytest.Sign(t, jwt.SigningMethodRS256, keytest.OtherRSAKey(), nil, keytest.Good()), "did not make its signature"},
		{"no exp", rs256(map[string]any{"exp": nil}), "no exp"},
		{"exp null", rs256(map[string]any{"exp": jwt.ClaimStrings(nil)}), "exp"},
		{"exp text", rs256(map[string]any{"exp": "never"}), "claim exp"},
		{"exp huge", rs256(map[string]any{"exp": 1e300}), "claim exp"},
		{"nbf in future", rs256(map[string]any{"nbf": keytest.Now.Unix() + 60}), "not valid before"},
		{"iat in future", rs256(map[string]any{"iat": keytest.Now.Unix() + 60}), "issued at"},
		{"at+jwt", header(map[string]any{"typ": "at+jwt"}), "typ"},
		{"application/at+jwt", header(map[string]any{"typ": "application/at+JWT"}), "typ"},
		{"id token", rs256(map[string]any{"at_hash": "x", "aud": "client"}), "ID token"},
		{"machine category", header(map[string]any{"cat": "cl_B7d4PD333AAA"}), "category"},
		{"a critical header", header(map[string]any{"crit": []string{"b64"}, "b64": false}), "crit"},
		{"two segments", provider.NewSecret("a.b"), "segments"},
		{"four segments", provider.NewSecret(valid + ".x"), "segments"},
		{"empty", provider.Secret{}, "empty"},
		{"line break", provider.NewSecret(valid + "\n"), "line break"},
		{"line break inside", provider.NewSecret(valid[:9] + "\r\n" + valid[9:]), "line break"},
		{"a leading space", provider.NewSecret(" " + valid), "base64url"},
		{"too large", provider.NewSecret(valid + strings.Repeat("A", 16<<10)), "16 KiB"},
		{"no JSON", provider.NewSecret("AAAA.AAAA.AAAA"), "not a JWT"},
		{"loose base64", provider.NewSecret(loosen(valid)), "signature"},
		{"changed payload", provider.NewSecret(swapPayload(valid, rs256(map[string]any{"sub": "user_2"}).Reveal())), "signature"},
	}
	issuer := keytest.NewIssuer(t, keytest.JWK(keytest.Kid, key.Public()))
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := keytest.NewVerifier(t, keytest.NewSet(t, issuer.URL, keyset.Options{}), keytest.ClerkPolicy())
			claims, err := v.Verify(t.Context(), test.token)
			if !errors.Is(err, provider.ErrTokenInvalid) || !strings.Contains(err.Error(), test.says) {
				t.Fatalf("got %v, want ErrTokenInvalid with %q", err, test.says)
			}
			if claims.Subject != "" {
				t.Error("claims are returned together with an error")
			}
			for part := range strings.SplitSeq(test.token.Reveal(), ".") {
				if len(part) > 8 && strings.Contains(err.Error(), part) {
					t.Errorf("the error contains a part of the token: %v", err)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error has more than one line: %q", err)
			}
		})
	}
}

// loosen flips a bit in the signature's last character that most base64 decoders ignore.
func loosen(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[last^1])
}

func swapPayload(token, other string) string {
	a, b := strings.Split(token, "."), strings.Split(other, ".")
	return a[0] + "." + b[1] + "." + a[2]
}

func TestVerifyAcceptsOddHeaders(t *testing.T) {
	issuer := keytest.NewIssuer(t, keytest.JWK(keytest.Kid, keytest.RSAKey().Public()))
	v := keytest.NewVerifier(t, keytest.NewSet(t, issuer.URL, keyset.Options{}), keytest.ClerkPolicy())
	for name, header := range map[string]map[string]any{
		"no typ":                          {"typ": nil},
		"another typ":                     {"typ": "application/jwt"},
		"keys in the header":              {"jku": "https://evil.example/jwks.json", "x5u": []any{1}, "jwk": map[string]any{"kty": "oct", "k": "AA"}},
		"the category of template tokens": {"cat": "cl_B7d4PD222AAA"},
		"kid not text":                    {"kid": 5},
	} {
		if _, err := v.Verify(t.Context(), keytest.Sign(t, jwt.SigningMethodRS256, keytest.RSAKey(), header, keytest.Good())); err != nil {
			t.Errorf("%s: Verify: %v", name, err)
		}
	}
	issuer.Fetched(t, 1)
}

func TestVerifyEveryKeyType(t *testing.T) {
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p256, p384, p521 := keytest.NewEC(elliptic.P256()), keytest.NewEC(elliptic.P384()), keytest.NewEC(elliptic.P521())
	policy := jwks.Policy{Issuer: keytest.IssuerURL, Algorithms: jwks.Algorithms()}
	// All keys share one kid: each algorithm must find its own key.
	issuer := keytest.NewIssuer(t, keytest.JWK(keytest.Kid, keytest.RSAKey().Public()), keytest.JWK(keytest.Kid, p256.Public()), keytest.JWK(keytest.Kid, p384.Public()),
		keytest.JWK(keytest.Kid, p521.Public()), keytest.JWK(keytest.Kid, edKey.Public()))
	v := keytest.NewVerifier(t, keytest.NewSet(t, issuer.URL, keyset.Options{}), policy)
	for method, key := range map[jwt.SigningMethod]any{
		jwt.SigningMethodRS256: keytest.RSAKey(), jwt.SigningMethodES256: p256, jwt.SigningMethodES384: p384,
		jwt.SigningMethodES512: p521, jwt.SigningMethodEdDSA: edKey,
	} {
		if _, err := v.Verify(t.Context(), keytest.Sign(t, method, key, nil, keytest.Good())); err != nil {
			t.Errorf("%s: Verify: %v", method.Alg(), err)
		}
	}
	// The key set says RS256 for the RSA key, but Auth0 signs PS256 with the same key.
	if _, err := v.Verify(t.Context(), keytest.Sign(t, jwt.SigningMethodPS256, keytest.RSAKey(), nil, keytest.Good())); err != nil {
		t.Errorf("PS256 with a key for RS256: %v", err)
	}
	if _, err := v.Verify(t.Context(), keytest.Sign(t, jwt.SigningMethodRS512, keytest.RSAKey(), nil, keytest.Good())); !errors.Is(err, provider.ErrTokenInvalid) {
		t.Errorf("RS512 with a key for RS256: %v", err)
	}
	issuer.Fetched(t, 2)
}

func TestIDTokenWhereAllowed(t *testing.T) {
	issuer := keytest.NewIssuer(t, keytest.JWK(keytest.Kid, keytest.RSAKey().Public()))
	policy := keytest.ClerkPolicy()
	policy.AllowIDToken = true
	v := keytest.NewVerifier(t, keytest.NewSet(t, issuer.URL, keyset.Options{}), policy)
	if _, err := v.Verify(t.Context(), keytest.SignRS256(t, keytest.With(keytest.Good(), map[string]any{"nonce": "n"}))); err != nil {
		t.Error(err)
	}
}

func TestFromVerification(t *testing.T) {
	issuer := keytest.NewIssuer(t, keytest.JWK(keytest.Kid, keytest.RSAKey().Public()))
	policy, err := jwks.FromVerification(provider.Verification{Issuer: keytest.IssuerURL, KeySetURL: issuer.URL, Algorithms: []string{"RS256"}})
	if err != nil {
		t.Fatal(err)
	}
	v := keytest.NewVerifier(t, keytest.NewSet(t, issuer.URL, keyset.Options{}), policy)
	if _, err := v.Verify(context.Background(), keytest.SignRS256(t, keytest.Good())); err != nil {
		t.Error(err)
	}
	if _, err := jwks.FromVerification(provider.Verification{Issuer: keytest.IssuerURL, Algorithms: []string{"none"}}); err == nil {
		t.Error("the algorithm none is accepted")
	}
}

func BenchmarkVerify(b *testing.B) {
	token := keytest.SignRS256(b, keytest.Good())
	issuer := keytest.NewIssuer(b, keytest.JWK(keytest.Kid, keytest.RSAKey().Public()))
	b.Run("bare RSA", func(b *testing.B) {
		text := token.Reveal()
		dot := strings.LastIndexByte(text, '.')
		sig, err := jwt.NewParser().DecodeSegment(text[dot+1:])
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if err := jwt.SigningMethodRS256.Verify(text[:dot], sig, keytest.RSAKey().Public()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("token", func(b *testing.B) {
		v := keytest.NewVerifier(b, keytest.NewSet(b, issuer.URL, keyset.Options{}), keytest.ClerkPolicy())
		for b.Loop() {
			if _, err := v.Verify(b.Context(), token); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unverified", func(b *testing.B) {
		for b.Loop() {
			if _, err := jwks.DecodeUnverified(token); err != nil {
				b.Fatal(err)
			}
		}
	})
}
