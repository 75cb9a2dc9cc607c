package session

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/store"
)

const keySetURL = "https://issuer.example/jwks"

// issuer issues tokens that live for a minute, and serves its key set unless it is down.
type issuer struct {
	key     *rsa.PrivateKey
	kid     string
	down    bool
	fetches int
}

func (i *issuer) RoundTrip(req *http.Request) (*http.Response, error) {
	i.fetches++
	if i.down {
		return nil, errors.New("connection refused")
	}
	part := base64.RawURLEncoding.EncodeToString
	body := fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"a","alg":"RS256","n":%q,"e":%q}]}`,
		part(i.key.N.Bytes()), part(big.NewInt(int64(i.key.E)).Bytes()))
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Cache-Control": {"max-age=600"}}, Request: req,
		Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

func (i *issuer) token() provider.Token {
	now := time.Now()
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": "https://issuer.example", "id": "db-1", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	})
	t.Header["kid"] = i.kid
	value, err := t.SignedString(i.key)
	if err != nil {
		panic(err)
	}
	return provider.Token{
		Value: provider.NewSecret(value), Issued: now, Expires: now.Add(time.Minute),
		Verification: &provider.Verification{Issuer: "https://issuer.example", KeySetURL: keySetURL, Algorithms: []string{"RS256"}},
	}
}

func (i *issuer) Describe(context.Context, string) (provider.Description, error) {
	return provider.Description{}, nil
}
func (i *issuer) Identity(context.Context, string) (provider.Identity, error)       { return i, nil }
func (i *issuer) TokenSource(context.Context, string) (provider.TokenSource, error) { return i, nil }
func (i *issuer) AssertionSource(context.Context, string) (provider.AssertionSource, error) {
	return nil, errors.ErrUnsupported
}
func (i *issuer) Need(context.Context, string) (*provider.AssertionNeed, error) { return nil, nil }

func (i *issuer) Token(context.Context, provider.TokenRequest) (provider.TokenResponse, error) {
	return provider.TokenResponse{Token: i.token()}, nil
}

func (i *issuer) Login(ctx context.Context, _ provider.LoginRequest, host provider.Host) error {
	token := i.token()
	return host.Store(ctx, provider.SignIn{Credential: provider.Credential{Data: provider.NewSecret("c")}, Token: &token})
}
func (i *issuer) Refresh(_ context.Context, c provider.Credential) (provider.Credential, error) {
	return c, nil
}
func (i *issuer) Verify(context.Context, provider.Secret) (provider.Claims, error) {
	return provider.Claims{}, nil
}
func (i *issuer) Revoke(context.Context, provider.Credential) error { return nil }

// While the key set can't be fetched, renewals in separate processes use the one on disk, for
// a day. An unknown kid causes a fetch at once, and later tokens with it don't.
func TestRenewalsWhileTheKeySetIsGone(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	cacheDir, state := t.TempDir(), store.New(t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{key: key, kid: "a"}
		process := func() *Session {
			return New(Config{
				Profile: cache.Profile{
					Name: "default", DefaultProvider: "clerk", OwnTarget: true,
					Target:       provider.Target{URL: "libsql://db.example", DatabaseID: "db-1"},
					SettingsHash: func(name string, _ []string) string { return name },
				},
				Store: state, Providers: i,
				Verifier: verifier{cacheDir: cacheDir, client: &http.Client{Transport: i}, now: time.Now},
			})
		}
		if _, err := process().Login(t.Context(), "clerk", provider.LoginRequest{}, nil, store.Plan{}); err != nil {
			t.Fatal(err)
		}
		if i.fetches != 1 {
			t.Fatalf("%d fetches for a sign-in, want 1", i.fetches)
		}
		i.down = true
		began := time.Now()
		for n := 0; time.Since(began) < time.Hour; n++ {
			if _, err := process().Token(t.Context()); err != nil {
				t.Fatalf("renewal %d, %s after the key set became unavailable: %v", n, time.Since(began), err)
			}
			time.Sleep(time.Minute)
		}
		time.Sleep(22 * time.Hour)
		if _, err := process().Token(t.Context()); err != nil || i.fetches != 1 {
			t.Fatalf("a day later: %v, %d fetches", err, i.fetches)
		}

		i.down, i.kid = false, "b"
		time.Sleep(time.Minute)
		for range 60 {
			if _, err := process().Token(t.Context()); !errors.Is(err, provider.ErrTokenInvalid) {
				t.Fatalf("a token of an unknown key: %v", err)
			}
			time.Sleep(time.Second)
		}
		if i.fetches != 2 {
			t.Errorf("%d fetches, want 2: an unknown kid causes one fetch in five minutes", i.fetches)
		}
	})
}
