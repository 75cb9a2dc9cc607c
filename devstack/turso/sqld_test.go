package turso

import (
	"crypto"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/fault"
)

func itoa(n int) string { return strconv.Itoa(n) }

// TestPlainSqld checks the mode in which the stand-in is a plain libsql-server.
func TestPlainSqld(t *testing.T) {
	f := newFixture(t, Options{})
	iss := newIssuer(t, map[string]crypto.Signer{"k": rsaKeys()[0]})
	must(t, f.RegisterJWKS("acme", "clerk", iss.url))
	must(t, f.faults.Switch(fault.PlainSqld, true))
	own := func(c jwt.MapClaims) string { return sign(f.state.DatabaseKey, c) }
	minted, err := f.CreateDatabaseToken("acme", "app", TokenOptions{})
	must(t, err)
	now := f.clock.Now()
	if status, body := f.do("GET", "/dbs/app/info", minted, ""); status != 404 || body != "" {
		t.Errorf("sync: %d %s", status, body)
	}
	unauthorized := func(text string) string { return "401 {\"error\":\"Unauthorized: `" + text + "`\"}" }
	const (
		insert    = `{"requests":[{"type":"execute","stmt":{"sql":"CREATE TABLE IF NOT EXISTS t (a)"}}]}`
		forbidden = `403 {"error":"Authorization forbidden: Current session doesn't not have Write permission to namespace app"}`
		missing   = "404 {\"error\":\"Namespace `app` doesn't exist\"}"
	)
	scope := func(ns ...string) map[string]any { return map[string]any{"ns": ns} }
	for _, tt := range []struct{ name, header, body, want string }{
		{"no header", "", select1, unauthorized("Expected authorization header but none given")},
		{"no scheme", minted, select1, unauthorized("Auth string does not conform to '<scheme> <token>' form")},
		{"another scheme", "Basic " + minted, select1, unauthorized("The authentication scheme in the `Authorization` HTTP header is not supported")},
		{"not a JWT", "Bearer x", select1, unauthorized("The JWT is invalid")},
		{"a token minted by sqld", "Bearer " + minted, select1, "200"},
		{"registered issuer", "Bearer " + signWith(t, rsaKeys()[0], "k", f.claims(nil)), select1, unauthorized("The JWT is invalid")},
		{"expired", "Bearer " + own(jwt.MapClaims{"exp": now.Unix() - 100}), select1, unauthorized("The JWT has expired")},
		{"within the leeway", "Bearer " + own(jwt.MapClaims{"exp": now.Unix() - 30}), select1, "200"},
		{"exp with a fraction", "Bearer " + own(jwt.MapClaims{"exp": float64(now.Unix()) + 0.5}), select1, unauthorized("The JWT is invalid")},
		{"a token with an audience", "Bearer " + own(jwt.MapClaims{"aud": "zen"}), select1, unauthorized("Authentication failed")},
		{"nbf is not looked at", "Bearer " + own(jwt.MapClaims{"nbf": now.Add(time.Hour).Unix()}), select1, "200"},
		{"perm means nothing", "Bearer " + own(jwt.MapClaims{"perm": []any{map[string]any{"t": []string{"x"}, "a": []string{"data_read"}}}}), insert, `"type":"ok"`},
		{"no claims at all", "Bearer " + own(jwt.MapClaims{}), insert, `"type":"ok"`},
		{"id is the name", "Bearer " + own(jwt.MapClaims{"id": "app", "a": "rw"}), insert, `"type":"ok"`},
		{"the id of another database", "Bearer " + own(jwt.MapClaims{"id": "theirs"}), select1, missing},
		{"ro reads", "Bearer " + own(jwt.MapClaims{"a": "ro"}), select1, "200"},
		{"ro writes", "Bearer " + own(jwt.MapClaims{"a": "ro"}), insert, forbidden},
		{"ro writes in a batch", "Bearer " + own(jwt.MapClaims{"a": "ro"}), `{"requests":[{"type":"batch","batch":{"steps":[{"stmt":{"sql":"SELECT 1"}},{"stmt":{"sql":"CREATE TABLE u (a)"}}]}}]}`, forbidden},
		{"ro writes in a sequence", "Bearer " + own(jwt.MapClaims{"a": "ro"}), `{"requests":[{"type":"sequence","sql":"CREATE TABLE u (a)"}]}`, forbidden},
		{"roa writes", "Bearer " + own(jwt.MapClaims{"a": "roa"}), insert, forbidden},
		{"p before a", "Bearer " + own(jwt.MapClaims{"a": "rw", "p": map[string]any{"ro": scope("app")}}), insert, forbidden},
		{"p rwa", "Bearer " + own(jwt.MapClaims{"p": map[string]any{"rwa": scope("app")}}), insert, `"type":"ok"`},
		{"p ddl writes", "Bearer " + own(jwt.MapClaims{"p": map[string]any{"ddl": scope("app")}}), insert, `"type":"ok"`},
		{"p for another", "Bearer " + own(jwt.MapClaims{"p": map[string]any{"rw": scope("theirs")}}), select1, missing},
		{"p empty", "Bearer " + own(jwt.MapClaims{"p": map[string]any{}}), select1, missing},
	} {
		req, err := http.NewRequest("POST", f.url+"/dbs/app/v2/pipeline", strings.NewReader(tt.body))
		must(t, err)
		req.Header.Set("Authorization", tt.header)
		if tt.header == "" {
			req.Header.Del("Authorization")
		}
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		body := make([]byte, 1000)
		n, _ := resp.Body.Read(body)
		resp.Body.Close()
		if got := itoa(resp.StatusCode) + " " + string(body[:n]); !strings.Contains(got, tt.want) {
			t.Errorf("%s: answer %s, want %s", tt.name, got, tt.want)
		}
		if resp.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: no CORS header", tt.name)
		}
	}
}

// Turso Cloud accepts a condition over /v2/pipeline that libsql-server has only in
// version 3: pushes of Turso Sync depend on it.
func TestAutocommitIn2(t *testing.T) {
	f := newFixture(t, Options{})
	token, err := f.CreateDatabaseToken("acme", "app", TokenOptions{})
	must(t, err)
	const push = `{"requests":[{"type":"batch","batch":{"steps":[{"stmt":{"sql":"BEGIN IMMEDIATE"}},
		{"stmt":{"sql":"CREATE TABLE pushed (a)"},"condition":{"type":"not","cond":{"type":"is_autocommit"}}},
		{"stmt":{"sql":"COMMIT"},"condition":{"type":"not","cond":{"type":"is_autocommit"}}},
		{"stmt":{"sql":"DROP TABLE pushed"},"condition":{"type":"not","cond":{"type":"is_autocommit"}}}]}}]}`
	if status, body := f.do("POST", "/dbs/app/v2/pipeline", token, push); status != 200 || !strings.Contains(body, `"step_errors":[null,null,null,null]`) {
		t.Errorf("answer %d %s", status, body)
	}
	if status, body := f.do("POST", "/dbs/app/v2/pipeline", token, `{"requests":[{"type":"execute","stmt":{"sql":"SELECT * FROM pushed"}}]}`); !strings.Contains(body, `"type":"ok"`) {
		t.Errorf("answer %d %s", status, body)
	}
}

// Turso Cloud leaves out rows that aren't wanted, as its protocol has it and its own suite
// asks of it (serverless/conformance); libsql-server sends them. The statement runs to its
// end either way.
func TestWantRows(t *testing.T) {
	f := newFixture(t, Options{})
	token, err := f.CreateDatabaseToken("acme", "app", TokenOptions{})
	must(t, err)
	stmt := `{"sql":"INSERT INTO wanted VALUES (1), (2) RETURNING a","want_rows":false}`
	for _, tt := range []struct{ name, path, body, rows string }{
		{"execute", "/v3/pipeline", `{"requests":[{"type":"execute","stmt":` + stmt + `}]}`, `"rows":[],`},
		{"batch", "/v2/pipeline", `{"requests":[{"type":"batch","batch":{"steps":[{"stmt":` + stmt + `}]}}]}`, `"rows":[],`},
		{"cursor", "/v3/cursor", `{"batch":{"steps":[{"stmt":` + stmt + `}]}}`, ""},
	} {
		create := `{"requests":[{"type":"sequence","sql":"DROP TABLE IF EXISTS wanted; CREATE TABLE wanted (a)"}]}`
		if status, body := f.do("POST", "/dbs/app/v2/pipeline", token, create); status != 200 {
			t.Fatalf("answer %d %s", status, body)
		}
		_, body := f.do("POST", "/dbs/app"+tt.path, token, tt.body)
		if strings.Contains(body, `"value":"1"`) || !strings.Contains(body, tt.rows) || !strings.Contains(body, `"affected_row_count":2`) || !strings.Contains(body, `"name":"a"`) {
			t.Errorf("%s: do = %s", tt.name, body)
		}
		must(t, f.faults.Switch(fault.PlainSqld, true))
		if _, body := f.do("POST", "/dbs/app"+tt.path, token, tt.body); strings.Contains(body, `"value":"1"`) != strings.Contains(body, `"affected_row_count"`) {
			t.Errorf("%s, as libsql-server: %s", tt.name, body)
		}
		must(t, f.faults.Switch(fault.PlainSqld, false))
	}
}
