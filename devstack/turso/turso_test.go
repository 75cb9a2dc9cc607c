package turso

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/fault"
)

// fixture is a server with two organizations and their members.
type fixture struct {
	*Server
	t      testing.TB
	url    string
	clock  *clock
	faults *fault.Set
	alice  string // API token; member of acme, which has the database app
	bob    string // API token; member of other, which has the database theirs
	app    Database
}

// clock is one that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newFixture(t testing.TB, o Options) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: &clock{now: time.Now()}, faults: fault.NewSet(fault.Known()...)}
	o.Now, o.Faults = f.clock.Now, f.faults
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	f.Server = s
	hs := httptest.NewServer(s)
	t.Cleanup(func() {
		hs.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	f.url = hs.URL
	s.SetHost(strings.TrimPrefix(hs.URL, "http://"))
	must(t, s.CreateUser("alice", "alice@acme.test"))
	must(t, s.CreateUser("bob", "bob@other.test"))
	must(t, s.CreateOrganization(Organization{Slug: "acme", Members: []string{"alice"}}))
	must(t, s.CreateOrganization(Organization{Slug: "other", Members: []string{"bob"}}))
	f.app, err = s.CreateDatabase("acme", "app")
	must(t, err)
	_, err = s.CreateDatabase("other", "theirs")
	must(t, err)
	f.alice, err = s.CreateAPIToken("alice", APIToken{Name: "test"})
	must(t, err)
	f.bob, err = s.CreateAPIToken("bob", APIToken{Name: "test"})
	must(t, err)
	return f
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// do sends a request with a bearer token, or with none if it is empty.
func (f *fixture) do(method, path, token, body string) (int, string) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.url+path, strings.NewReader(body))
	must(f.t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	must(f.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(f.t, err)
	if strings.HasPrefix(path, "/dbs/") && resp.StatusCode == 401 && !f.faults.On(fault.PlainSqld) && resp.Header.Get("Access-Control-Allow-Origin") != "" {
		f.t.Error("a 401 has a CORS header: Turso Cloud's has none")
	}
	return resp.StatusCode, strings.TrimSpace(string(b))
}

const select1 = `{"requests":[{"type":"execute","stmt":{"sql":"SELECT 1"}},{"type":"close"}]}`

// query runs SELECT 1 in a database.
func (f *fixture) query(db, token string) (int, string) {
	f.t.Helper()
	return f.do("POST", "/dbs/"+db+"/v2/pipeline", token, select1)
}

// accepted fails the test unless the token opens the database.
func (f *fixture) accepted(what, db, token string) {
	f.t.Helper()
	if status, body := f.query(db, token); status != 200 || !strings.Contains(body, `"rows":[[{"type":"integer","value":"1"}]]`) {
		f.t.Errorf("%s: query = %d %s, want rows", what, status, body)
	}
}

// refused fails the test unless the token is refused with that status and error.
func (f *fixture) refused(what, db, token string, status int, text string) {
	f.t.Helper()
	want, err := json.Marshal(apiError{Error: text})
	must(f.t, err)
	if got, body := f.query(db, token); got != status || body != string(want) {
		f.t.Errorf("%s: query = %d %s, want %d %s", what, got, body, status, text)
	}
}

// The texts that Turso Cloud was seen to send.
const (
	textNoKey       = "Unauthorized: `unauthorized access attempt on database: invalid JWT token: can't be decoded with any of the existing keys`"
	textInvalidated = "Unauthorized: `unauthorized access attempt on database: invalid JWT token: role was invalidated after token was issued`"
	textNotAllowed  = "Unauthorized: `unauthorized access attempt on database: token does not have the permissions to access the database`"
	textEmpty       = "Unauthorized: `unauthorized access attempt on database: empty JWT token`"
)

// issuer is the part of an identity provider that Turso sees: a URL with keys.
type issuer struct {
	t   testing.TB
	url string

	mu      sync.Mutex // guards all below
	keys    map[string]crypto.Signer
	fetches int
	answer  func(http.ResponseWriter, *http.Request) // instead of the keys
}

func newIssuer(t testing.TB, keys map[string]crypto.Signer) *issuer {
	t.Helper()
	i := &issuer{t: t, keys: keys}
	hs := httptest.NewServer(i)
	t.Cleanup(hs.Close)
	i.url = hs.URL + "/.well-known/jwks.json"
	return i
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.fetches++
	if i.answer != nil {
		i.answer(w, r)
		return
	}
	enc := base64.RawURLEncoding.EncodeToString
	set := []map[string]string{{"kty": "oct", "kid": "no use", "k": "AAAA"}}
	for kid, key := range i.keys {
		k := map[string]string{"use": "sig", "kid": kid}
		switch pub := key.Public().(type) {
		case *rsa.PublicKey:
			k["kty"], k["alg"], k["n"], k["e"] = "RSA", "RS256", enc(pub.N.Bytes()), enc(big.NewInt(int64(pub.E)).Bytes())
		case *ecdsa.PublicKey:
			b, err := pub.Bytes()
			must(i.t, err)
			k["kty"], k["crv"], k["x"], k["y"] = "EC", "P-256", enc(b[1:33]), enc(b[33:])
		case ed25519.PublicKey:
			k["kty"], k["crv"], k["x"] = "OKP", "Ed25519", enc(pub)
		}
		set = append(set, k)
	}
	must(i.t, json.NewEncoder(w).Encode(map[string]any{"keys": set}))
}

func (i *issuer) set(keys map[string]crypto.Signer) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = keys
}

func (i *issuer) fetched() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetches
}

var rsaKeys = sync.OnceValue(func() [2]*rsa.PrivateKey {
	var keys [2]*rsa.PrivateKey
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

// signWith returns a JWT as an identity provider issues it.
func signWith(t testing.TB, key crypto.Signer, kid string, claims map[string]any) string {
	t.Helper()
	var method jwt.SigningMethod = jwt.SigningMethodRS256
	switch key.(type) {
	case *ecdsa.PrivateKey:
		method = jwt.SigningMethodES256
	case ed25519.PrivateKey:
		method = jwt.SigningMethodEdDSA
	}
	token := jwt.NewWithClaims(method, jwt.MapClaims(claims))
	if kid != "" {
		token.Header["kid"] = kid
	}
	s, err := token.SignedString(key)
	must(t, err)
	return s
}

// claims returns those of a Clerk template token for the database app.
func (f *fixture) claims(change map[string]any) map[string]any {
	f.t.Helper()
	c, err := f.Template("acme", "app", TokenOptions{})
	must(f.t, err)
	now := f.clock.Now()
	for k, v := range map[string]any{
		"sub": "user_1", "iss": "https://clerk.acme.test", "aud": "whoever", "azp": "https://acme.test",
		"iat": now.Unix(), "nbf": now.Unix() + 3600, "exp": now.Add(time.Minute).Unix(),
	} {
		c[k] = v
	}
	for k, v := range change {
		if v == nil {
			delete(c, k)
		} else {
			c[k] = v
		}
	}
	return c
}

func newES256(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}
