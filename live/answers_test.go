package live

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

var (
	numbered = regexp.MustCompile(`<([a-z]+) \d+>`)
	ownName  = regexp.MustCompile(prefix + `[0-9a-f]{8}`)
)

// normal returns a value without the parts that differ between runs.
func (r *run) normal(value string) string {
	value = numbered.ReplaceAllString(r.recorder.text(value), "<$1>")
	return ownName.ReplaceAllString(value, prefix+"…")
}

// ok is a database's response to SELECT 1.
var ok = answer{"status": "200", "rows": "1"}

// refused returns a database's response to a token that it refuses.
func refused(status, text string) answer { return answer{"status": status, "error": text} }

const unauthorized = "Unauthorized: `unauthorized access attempt on database: "

// sql sends one statement, as the two curl lines of the report do.
func (r *run) sql(token, statement string, header ...string) answer {
	res := r.call(r.ctx, "Database", r.address(), http.MethodPost, "/v2/pipeline", token, map[string]any{
		"requests": []any{map[string]any{"type": "execute", "stmt": map[string]any{"sql": statement}}, map[string]any{"type": "close"}},
	}, header...)
	return res.pipeline()
}

func (r *run) select1(token string) answer { return r.sql(token, "SELECT 1") }

// pipeline returns the answer in a database's response.
func (a response) pipeline() answer {
	got := answer{"status": strconv.Itoa(a.status)}
	var body struct {
		Error   any
		Results []struct {
			Type     string
			Error    struct{ Message, Code string }
			Response struct {
				Result struct {
					Rows [][]struct{ Value any }
				}
			}
		}
	}
	if err := json.Unmarshal(a.body, &body); err != nil {
		got["body"] = string(a.body)
		return got
	}
	if body.Error != nil {
		got["error"] = fmt.Sprint(body.Error)
	}
	if len(body.Results) == 0 {
		return got
	}
	first := body.Results[0]
	if first.Type == "error" {
		got["error"], got["code"] = first.Error.Message, first.Error.Code
		return got
	}
	var rows []string
	for _, row := range first.Response.Result.Rows {
		for _, column := range row {
			rows = append(rows, fmt.Sprint(column.Value))
		}
	}
	got["rows"] = strings.Join(rows, " ")
	return got
}

// failure returns the answer in a response with which Clerk refuses a call.
func failure(a response) answer {
	got := answer{"status": strconv.Itoa(a.status)}
	var body struct {
		Errors []struct{ Code, Message string }
		Error  string
	}
	_ = json.Unmarshal(a.body, &body)
	if len(body.Errors) > 0 {
		got["code"] = body.Errors[0].Code
	} else if body.Error != "" {
		got["code"] = body.Error
	}
	return got
}

// platform returns the answer of the Platform API to a call of the client.
func platform(err error) answer {
	var failed *turso.Error
	switch {
	case err == nil:
		return answer{"status": "200"}
	case errors.As(err, &failed) && failed.Status != 0:
		return answer{"status": strconv.Itoa(failed.Status), "error": failed.Message}
	}
	return answer{"failed": err.Error()}
}

// decoded returns the header and the claims of a JWT.
func decoded(token string) (header, claims map[string]any) {
	parts := strings.Split(token, ".")
	for i, into := range []*map[string]any{&header, &claims} {
		if i < len(parts) {
			if raw, err := base64.RawURLEncoding.DecodeString(parts[i]); err == nil {
				_ = json.Unmarshal(raw, into)
			}
		}
	}
	return header, claims
}

// names returns the names of the claims, sorted.
func names(m map[string]any) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), " ")
}

// describe returns the kind of a token: its header and the names of its claims.
func describe(token string) answer {
	header, claims := decoded(token)
	if claims == nil {
		return answer{"token": "opaque"}
	}
	got := answer{"alg": fmt.Sprint(header["alg"]), "typ": fmt.Sprint(header["typ"]), "claims": names(claims)}
	if cat, ok := header["cat"]; ok {
		got["cat"] = fmt.Sprint(cat)
	}
	return got
}

// life returns the lifetime of a token.
func life(token string) string {
	_, claims := decoded(token)
	expires, _ := claims["exp"].(float64)
	issued, _ := claims["iat"].(float64)
	if expires == 0 {
		return "for ever"
	}
	return time.Duration((expires - issued) * float64(time.Second)).String()
}

// kindOf returns the kind of an error.
func kindOf(err error) string {
	if err == nil {
		return "none"
	}
	if kind := provider.Kind(err); kind != nil {
		return kind.Error()
	}
	return err.Error()
}

// verify verifies a token of the instance as zen's provider does, at the given time.
func (r *run) verify(token string, now func() time.Time) (provider.Claims, error) {
	policy := r.instance.Policy()
	policy.Now = now
	verifier, err := jwks.NewVerifier(r.keys, policy)
	check(err)
	return r.instance.Verify(r.ctx, verifier, provider.NewSecret(token))
}

// tokens is a source of database tokens. A renewal returns the offered token.
type tokens struct {
	mu       sync.Mutex // guards the fields below
	token    string
	next     string
	renewals int
}

// offer sets the token that the next renewal returns.
func (s *tokens) offer(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = token
}

// Token implements transport.Source.
func (s *tokens) Token(context.Context) (provider.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return provider.Token{Value: provider.NewSecret(s.token)}, nil
}

// Renew implements transport.Source.
func (s *tokens) Renew(context.Context, provider.Token) (provider.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == "" {
		return provider.Token{}, &provider.Error{Kind: provider.ErrRejected, Message: "there is no other token"}
	}
	s.token, s.next = s.next, ""
	s.renewals++
	return provider.Token{Value: provider.NewSecret(s.token)}, nil
}

// open opens the database with zen's connection manager; path is the file of a replica, or ""
// for none.
func (r *run) open(source *tokens, path string) *sql.DB {
	address := r.address()
	if path != "" {
		path = filepath.Join(r.files(), path)
	}
	db, err := libsql.Open(r.ctx, libsql.Options{
		Target: provider.Target{URL: address, DatabaseID: r.theDatabase().ID}, Source: source, Path: path,
		Base: r.recorder.through("Database", address, r.base),
	})
	check(err)
	return db
}

// exec runs statements, and ends the question if one fails.
func (r *run) exec(db *sql.DB, statements ...string) {
	for _, s := range statements {
		_, err := db.ExecContext(r.ctx, s)
		check(err)
	}
}

// count returns the number of notes, or the error.
func (r *run) count(db *sql.DB) string {
	var n int
	if err := db.QueryRowContext(r.ctx, "SELECT count(*) FROM notes").Scan(&n); err != nil {
		return err.Error()
	}
	return strconv.Itoa(n)
}

// notes creates the table if it doesn't exist.
func (r *run) notes() {
	once(r, "notes", func() answer {
		got := r.sql(r.platformToken(), "CREATE TABLE IF NOT EXISTS notes (text TEXT)")
		if got["error"] != "" {
			check(errors.New(got.String()))
		}
		return got
	})
}

// aged is an expired token, and the handles that were opened while it was good.
type aged struct {
	token string
	// soon is the database's answer to it within the leeway of libsql-server.
	soon          answer
	remote        *sql.DB
	remoteSource  *tokens
	replica       *sql.DB
	replicaSource *tokens
}

const (
	shortLife = 30 * time.Second
	leeway    = time.Minute
)

// old waits until a token expires, once for all questions that need an expired one.
func (r *run) old() aged {
	return once(r, "old", func() aged {
		r.notes()
		r.registered()
		a := aged{token: r.mint(r.template(), shortLife)}
		a.remoteSource = &tokens{token: a.token}
		a.remote = r.open(a.remoteSource, "")
		if r.lacks["replica"] == "" {
			a.replicaSource = &tokens{token: a.token}
			a.replica = r.open(a.replicaSource, "aged.db")
		}
		var one int
		check(a.remote.QueryRowContext(r.ctx, "SELECT 1").Scan(&one))
		r.closing = append(r.closing, a.remote.Close)
		if a.replica != nil {
			r.closing = append(r.closing, a.replica.Close)
		}
		check(r.wait(r.end, shortLife+20*time.Second))
		a.soon = r.select1(a.token)
		check(r.wait(r.end, leeway))
		return a
	})
}
