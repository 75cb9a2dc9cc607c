package turso

import (
	"crypto"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/engine"
)

func TestOwnTokens(t *testing.T) {
	f := newFixture(t, Options{})
	token := func(db string, o TokenOptions) string {
		t.Helper()
		tok, err := f.CreateDatabaseToken("acme", db, o)
		must(t, err)
		return tok
	}
	full := token("app", TokenOptions{})
	f.accepted("full access", "app", full)
	f.refused("another organization's database", "theirs", full, 401, textNotAllowed)
	f.refused("no token", "app", "", 401, textEmpty)
	f.refused("api token", "app", f.alice, 401, textNoKey)
	f.refused("not a JWT", "app", "nonsense", 400, "JWT error: InvalidToken")
	f.refused("colon in base64", "app", "abcdef:x.e30.AA", 400, "JWT error: Base64 error: Invalid symbol 58, offset 6.")
	parts := strings.Split(full, ".")
	f.refused("signature of another token", "app", parts[0]+"."+parts[1]+"."+strings.Repeat("A", 86), 401, textNoKey)
	if status, body := f.query("nine", full); status != 404 || body != "{\"error\":\"Namespace `nine` doesn't exist\"}" {
		t.Errorf("unknown database: %d %s", status, body)
	}

	short := token("app", TokenOptions{Lifetime: time.Hour})
	f.clock.Advance(time.Hour + 59*time.Second)
	f.accepted("within the leeway", "app", short)
	f.clock.Advance(2 * time.Second)
	f.refused("expired", "app", short, 400, "JWT error: ExpiredSignature")
	f.accepted("never expires", "app", full)
}

func TestExpiredStatusCanBeSwitched(t *testing.T) {
	f := newFixture(t, Options{JWTErrorStatus: 401})
	tok, err := f.CreateDatabaseToken("acme", "app", TokenOptions{Lifetime: time.Second})
	must(t, err)
	f.clock.Advance(time.Hour)
	f.refused("expired", "app", tok, 401, "JWT error: ExpiredSignature")
}

func TestRegisteredIssuer(t *testing.T) {
	f := newFixture(t, Options{})
	rsa1, rsa2 := rsaKeys()[0], rsaKeys()[1]
	es, ed := newES256(t), newKey()
	iss := newIssuer(t, map[string]crypto.Signer{"ins_rsa": rsa1, "ins_es": es, "ins_ed": ed})
	jwtOf := func(change map[string]any) string { return signWith(t, rsa1, "ins_rsa", f.claims(change)) }

	f.refused("before it is registered", "app", jwtOf(nil), 401, textNoKey)
	must(t, f.RegisterJWKS("acme", "clerk", iss.url))
	f.accepted("RS256; aud, iss and nbf are not looked at", "app", jwtOf(nil))
	f.accepted("ES256", "app", signWith(t, es, "ins_es", f.claims(nil)))
	f.accepted("EdDSA", "app", signWith(t, ed, "ins_ed", f.claims(nil)))
	f.accepted("no kid", "app", signWith(t, rsa1, "", f.claims(nil)))
	f.refused("unknown kid", "app", signWith(t, rsa1, "ins_other", f.claims(nil)), 401, textNoKey)
	f.refused("same kid, another key", "app", signWith(t, rsa2, "ins_rsa", f.claims(nil)), 400, "JWT error: InvalidSignature")
	f.refused("expired", "app", jwtOf(map[string]any{"exp": f.clock.Now().Add(-time.Hour).Unix()}), 400, "JWT error: ExpiredSignature")
	f.refused("for another database", "app", jwtOf(map[string]any{"id": "33057661-834e-4891-9b48-802d425d02b9"}), 401, textNotAllowed)
	f.refused("for another group", "app", jwtOf(map[string]any{"id": nil, "gid": "nope"}), 401, textNotAllowed)
	f.refused("unknown access", "app", jwtOf(map[string]any{"a": "admin"}), 400, "JWT error: JSON error: unknown variant `admin`, expected one of `ro`, `rw`, `roa`")
	f.refused("issuer of another organization", "theirs", jwtOf(nil), 401, textNoKey)

	// This is as dangerous as at the real Turso.
	nothing := map[string]any{"id": nil, "a": nil, "perm": nil, "rid": nil}
	f.accepted("no claims of Turso at all", "app", jwtOf(nothing))
	f.accepted("claims in the wrong case are none", "app", jwtOf(map[string]any{"id": nil, "rid": nil, "ID": "another"}))
	f.accepted("no exp", "app", jwtOf(map[string]any{"exp": nil}))

	none := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims(f.claims(nil)))
	s, err := none.SignedString(jwt.UnsafeAllowNoneSignatureType)
	must(t, err)
	f.refused("alg none", "app", s, 400, "JWT error: JSON error: unknown variant `none`, expected one of `RS256`, `ES256`, `EdDSA`")
	hs := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims(f.claims(nil)))
	s, err = hs.SignedString(rsa1.N.Bytes())
	must(t, err)
	f.refused("HS256 with the public key", "app", s, 400, "JWT error: InvalidAlgorithm")
}

func TestPolicyClaim(t *testing.T) {
	f := newFixture(t, Options{})
	iss := newIssuer(t, map[string]crypto.Signer{"k": rsaKeys()[0]})
	must(t, f.RegisterJWKS("acme", "clerk", iss.url))
	group := f.state.Organizations["acme"].Groups["default"].ID
	ns := func(s ...string) map[string]any { return map[string]any{"ns": s} }
	tests := []struct {
		name   string
		p      any
		reads  bool
		writes bool
	}{
		{"rw by id", map[string]any{"rw": ns(f.app.ID)}, true, true},
		{"rw by name", map[string]any{"rw": ns("app")}, true, true},
		{"rw by organization and name", map[string]any{"rw": ns("acme.app")}, true, true},
		{"rw by tag", map[string]any{"rw": map[string]any{"tags": []string{group}}}, true, true},
		{"ro", map[string]any{"ro": ns(f.app.ID)}, true, false},
		{"roa", map[string]any{"roa": ns(f.app.ID)}, true, false},
		{"another database", map[string]any{"rw": ns("another")}, false, false},
		{"empty", map[string]any{}, false, false},
	}
	for _, tt := range tests {
		tok := signWith(t, rsaKeys()[0], "k", f.claims(map[string]any{"id": "ignored", "rid": nil, "p": tt.p}))
		if !tt.reads {
			f.refused(tt.name, "app", tok, 401, textNotAllowed)
			continue
		}
		f.accepted(tt.name, "app", tok)
		_, body := f.do("POST", "/dbs/app/v2/pipeline", tok, `{"requests":[{"type":"execute","stmt":{"sql":"CREATE TABLE IF NOT EXISTS t (a)"}}]}`)
		if blocked := strings.Contains(body, `"code":"BLOCKED"`); blocked == tt.writes {
			t.Errorf("%s: write: %s", tt.name, body)
		}
	}
}

func TestPermissionsInTokens(t *testing.T) {
	f := newFixture(t, Options{})
	full, err := f.CreateDatabaseToken("acme", "app", TokenOptions{})
	must(t, err)
	f.do("POST", "/dbs/app/v2/pipeline", full, `{"requests":[{"type":"sequence","sql":"CREATE TABLE words (w); CREATE TABLE secret (s)"}]}`)
	tok, err := f.CreateDatabaseToken("acme", "app", TokenOptions{
		Permissions: []engine.Permission{{Tables: []string{"words"}, Actions: []engine.Action{engine.DataRead, engine.DataAdd}}},
	})
	must(t, err)
	for sql, want := range map[string]string{
		"SELECT w FROM words":             `"type":"ok"`,
		"INSERT INTO words VALUES ('hi')": `"affected_row_count":1`,
		"DELETE FROM words":               `{"message":"SQLite error: not authorized","code":"SQLITE_AUTH"}`,
		"SELECT s FROM secret":            `{"message":"SQLite error: access to secret.s is prohibited","code":"SQLITE_AUTH"}`,
	} {
		if status, body := f.do("POST", "/dbs/app/v2/pipeline", tok, fmt.Sprintf(`{"requests":[{"type":"execute","stmt":{"sql":%q}}]}`, sql)); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: answer %d %s", sql, status, body)
		}
	}
}

func TestRotation(t *testing.T) {
	f := newFixture(t, Options{})
	iss := newIssuer(t, map[string]crypto.Signer{"k": rsaKeys()[0]})
	must(t, f.RegisterJWKS("acme", "clerk", iss.url))
	minted, err := f.CreateDatabaseToken("acme", "app", TokenOptions{})
	must(t, err)
	_, body := f.do("POST", "/v1/organizations/acme/groups/default/auth/tokens", f.alice, "{}")
	groupToken := strings.Split(body, `"`)[3]
	template := signWith(t, rsaKeys()[0], "k", f.claims(nil))
	plain := signWith(t, rsaKeys()[0], "k", f.claims(map[string]any{"rid": nil}))
	for what, tok := range map[string]string{"minted": minted, "group": groupToken, "template": template, "no role": plain} {
		f.accepted(what, "app", tok)
	}
	f.clock.Advance(2 * time.Second)
	if status, body := f.do("POST", "/v1/organizations/acme/databases/app/auth/rotate", f.alice, ""); status != 200 {
		t.Fatalf("rotate: %d %s", status, body)
	}
	for what, tok := range map[string]string{"minted": minted, "template": template, "no role": plain} {
		f.refused(what+" after the rotation", "app", tok, 401, textInvalidated)
	}
	f.accepted("group token", "app", groupToken)
	minted, err = f.CreateDatabaseToken("acme", "app", TokenOptions{})
	must(t, err)
	f.accepted("minted after the rotation", "app", minted)
	f.accepted("template copied again", "app", signWith(t, rsaKeys()[0], "k", f.claims(nil)))
	f.do("POST", "/v1/organizations/acme/groups/default/auth/rotate", f.alice, "")
	f.refused("group token after its rotation", "app", groupToken, 401, textInvalidated)
	f.refused("database token after the group's rotation", "app", minted, 401, textInvalidated)
}

func TestKeyRotationAtTheIssuer(t *testing.T) {
	f := newFixture(t, Options{})
	rsa1, rsa2 := rsaKeys()[0], rsaKeys()[1]
	iss := newIssuer(t, map[string]crypto.Signer{"a": rsa1})
	must(t, f.RegisterJWKS("acme", "clerk", iss.url))
	old := signWith(t, rsa1, "a", f.claims(nil))
	f.accepted("first key", "app", old)
	f.accepted("first key again", "app", old)
	if n := iss.fetched(); n != 1 {
		t.Errorf("%d fetches for one key set", n)
	}
	f.ageKeys(iss.url)
	iss.set(map[string]crypto.Signer{"a": rsa2}) // Clerk's kid is the instance's: it stays
	f.accepted("second key, same kid", "app", signWith(t, rsa2, "a", f.claims(nil)))
	f.refused("first key, once the second is known", "app", old, 400, "JWT error: InvalidSignature")
	before := iss.fetched()
	for range 20 {
		f.refused("unknown kid", "app", signWith(t, rsa1, "x", f.claims(nil)), 401, textNoKey)
	}
	if n := iss.fetched() - before; n > 2 {
		t.Errorf("%d fetches for 20 bad tokens", n)
	}
}

// ageKeys makes the next unknown key fetch again, without a wait.
func (f *fixture) ageKeys(url string) {
	set := f.keys.set(url)
	set.mu.Lock()
	defer set.mu.Unlock()
	set.tried = set.tried.Add(-keySetRefetch)
}

func TestRegistrationChangesAtOnce(t *testing.T) {
	f := newFixture(t, Options{})
	iss := newIssuer(t, map[string]crypto.Signer{"k": rsaKeys()[0]})
	tok := signWith(t, rsaKeys()[0], "k", f.claims(nil))
	for range 2 {
		must(t, f.RegisterJWKS("acme", "clerk", iss.url))
		f.accepted("registered", "app", tok)
		if status, body := f.do("DELETE", "/v2/organizations/acme/jwks/clerk", f.alice, `{"region":""}`); status != 200 {
			t.Fatalf("remove: %d %s", status, body)
		}
		f.refused("removed", "app", tok, 401, textNoKey)
	}
	// Registering a URL again fetches its keys again.
	iss.set(map[string]crypto.Signer{"k": rsaKeys()[1]})
	must(t, f.RegisterJWKS("acme", "clerk", iss.url))
	f.refused("key that was replaced meanwhile", "app", tok, 400, "JWT error: InvalidSignature")
}

func TestBadIssuers(t *testing.T) {
	answers := map[string]func(http.ResponseWriter, *http.Request){
		"rubbish": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"no keys": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") },
		"error":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"too much": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"keys":[], "x":"%s"}`, strings.Repeat("x", 10<<20))
		},
		"odd keys": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"keys":[{"kty":"RSA","kid":"k","n":"AQAB","e":"AQAB"},{"kty":"RSA","n":5,"e":"?"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},{},{"kty":"OKP","crv":"Ed25519","x":"`+
				base64.RawURLEncoding.EncodeToString(make([]byte, 32))+`","d":"AA"}]}`)
		},
		"never": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, Options{Client: &http.Client{Timeout: 200 * time.Millisecond}})
			iss := newIssuer(t, nil)
			iss.answer = answer
			must(t, f.RegisterJWKS("acme", "clerk", iss.url))
			f.refused(name, "app", signWith(t, rsaKeys()[0], "k", f.claims(nil)), 401, textNoKey)
			good, err := f.CreateDatabaseToken("acme", "app", TokenOptions{})
			must(t, err)
			f.accepted("own token meanwhile", "app", good)
		})
	}
}

// Keys stay in use while their URL is unavailable.
func TestIssuerGoesDown(t *testing.T) {
	f := newFixture(t, Options{})
	iss := newIssuer(t, map[string]crypto.Signer{"k": rsaKeys()[0]})
	must(t, f.RegisterJWKS("acme", "clerk", iss.url))
	f.accepted("while it is up", "app", signWith(t, rsaKeys()[0], "k", f.claims(nil)))
	iss.mu.Lock()
	iss.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }
	iss.mu.Unlock()
	set := f.keys.set(iss.url)
	set.mu.Lock()
	set.good, set.tried = set.good.Add(-keySetTTL), set.tried.Add(-keySetTTL)
	set.mu.Unlock()
	f.accepted("while it is down", "app", signWith(t, rsaKeys()[0], "k", f.claims(map[string]any{"jti": "new"})))
	if iss.fetched() < 2 {
		t.Error("old keys were not fetched again")
	}
}
