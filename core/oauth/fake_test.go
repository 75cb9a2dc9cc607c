package oauth_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// testKey signs for every issuer in this test binary.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// issuer is an OpenID Connect issuer for one application, which signs in without a question.
type issuer struct {
	*httptest.Server
	// metadata overrides the issuer's own metadata.
	metadata map[string]any
	// token handles the token endpoint in place of the issuer.
	token http.HandlerFunc

	mu sync.Mutex
	// mu guards all below.
	codes   map[string]url.Values // authorization requests by their code
	refresh string                // the valid refresh token
	revoked []string
	forms   []url.Values // requests to the token endpoint
}

const (
	testID     = "client-1"
	testSecret = "s3cret-of-the-client"
)

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	s := &issuer{codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, s.document()) })
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, keySet()) })
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("POST /token", s.serveToken)
	mux.HandleFunc("POST /revoke", func(_ http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.revoked = append(s.revoked, r.PostFormValue("token"))
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *issuer) document() map[string]any {
	document := map[string]any{
		"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token",
		"revocation_endpoint": s.URL + "/revoke", "jwks_uri": s.URL + "/jwks", "end_session_endpoint": s.URL + "/logout",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
	}
	maps.Copy(document, s.metadata)
	return document
}

func keySet() map[string]any {
	public := testKey().PublicKey
	return map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "kid": "k1", "use": "sig", "alg": "RS256",
		"n": base64.RawURLEncoding.EncodeToString(public.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
	}}}
}

func sign(claims map[string]any) string {
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims(claims))
	token.Header["kid"] = "k1"
	signed, err := token.SignedString(testKey())
	if err != nil {
		panic(err)
	}
	return signed
}

// idClaims returns the claims of a valid ID token.
func (s *issuer) idClaims() map[string]any {
	return map[string]any{
		"iss": s.URL, "sub": "alice-1", "aud": testID, "email": "alice@example.test",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
}

func (s *issuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	code := rand.Text()
	s.mu.Lock()
	s.codes[code] = q
	s.mu.Unlock()
	back := url.Values{"code": {code}, "state": {q.Get("state")}}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (s *issuer) serveToken(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forms = append(s.forms, r.PostForm)
	if s.token != nil {
		s.token(w, r)
		return
	}
	tokens := map[string]any{"access_token": "access-" + rand.Text(), "token_type": "bearer", "expires_in": 3600}
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		asked, ok := s.codes[r.PostFormValue("code")]
		delete(s.codes, r.PostFormValue("code"))
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		if !ok || base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge") || r.PostFormValue("redirect_uri") != asked.Get("redirect_uri") {
			refuse(w, 400, "invalid_grant")
			return
		}
		claims := s.idClaims()
		claims["nonce"] = asked.Get("nonce")
		tokens["id_token"] = sign(claims)
	case "refresh_token":
		if r.PostFormValue("refresh_token") != s.refresh {
			refuse(w, 400, "invalid_grant")
			return
		}
	case "client_credentials":
	default:
		refuse(w, 400, "unsupported_grant_type")
		return
	}
	s.refresh = "refresh-" + rand.Text()
	tokens["refresh_token"] = s.refresh
	answer(w, 200, tokens)
}

func refuse(w http.ResponseWriter, status int, code string) {
	answer(w, status, map[string]any{"error": code, "error_description": "Said the issuer."})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (s *issuer) client(t testing.TB) *oauth.Client {
	t.Helper()
	metadata, err := oauth.Discover(context.Background(), s.URL, oauth.DiscoverOptions{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return &oauth.Client{Name: "test", ID: testID, Metadata: metadata}
}

// person is a Host whose browser is an HTTP client and whose terminal is a list of lines.
type person struct {
	// visit opens a page; if nil, pages are ignored.
	visit func(page string)

	// says receives each line, if it has room.
	says chan string

	mu     sync.Mutex
	told   []string
	page   string // the last that was shown
	opened sync.WaitGroup
}

// browses makes p visit pages and follow their redirects.
func browses(p *person) {
	p.visit = func(page string) {
		res, err := http.Get(page)
		if err != nil {
			p.say("the browser failed: " + err.Error())
			return
		}
		defer func() { _ = res.Body.Close() }()
		body, _ := io.ReadAll(res.Body)
		p.mu.Lock()
		p.page = fmt.Sprint(res.StatusCode, " ", string(body))
		p.mu.Unlock()
	}
}

func (p *person) say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, text)
	select {
	case p.says <- text:
	default: // no test reads them
	}
}

func (p *person) heard() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.told, "\n")
}

func (p *person) OpenURL(_ context.Context, page, code string) error {
	p.say("open " + page + " " + code)
	if p.visit != nil {
		p.opened.Go(func() { p.visit(page) })
	}
	return nil
}

func (p *person) ShowCode(_ context.Context, code, page string, _ time.Time) error {
	p.say("type " + code + " at " + page)
	return nil
}

func (p *person) Progress(_ context.Context, text string) error { p.say(text); return nil }

func (p *person) AskSecret(context.Context, string) (provider.Secret, error) {
	return provider.Secret{}, provider.ErrNoCredential
}
