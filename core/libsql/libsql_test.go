package libsql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/transport"
)

func TestAddress(t *testing.T) {
	for target, want := range map[string]string{
		"libsql://app-acme.turso.io":     "https://app-acme.turso.io",
		"https://db.example/dbs/app/":    "https://db.example/dbs/app",
		"http://127.0.0.1:8080/dbs/app":  "http://127.0.0.1:8080/dbs/app",
		"http://localhost:8080":          "http://localhost:8080",
		"http://[::1]:8080":              "http://[::1]:8080",
		"http://db.example":              "",
		"http://127.0.0.1.evil.example":  "",
		"ws://app-acme.turso.io":         "",
		"libsql:app":                     "",
		"app.db":                         "",
		"":                               "",
		"libsql://app\x00-acme.turso.io": "",
	} {
		u, err := libsql.Address(target)
		switch {
		case want == "" && !errors.Is(err, provider.ErrConfig):
			t.Errorf("Address(%q) = %v, %v, want ErrConfig", target, u, err)
		case want != "" && (err != nil || u.String() != want):
			t.Errorf("Address(%q) = %v, %v, want %s", target, u, err, want)
		}
	}
}

// TestAddressTellsNoSecret: other libSQL clients accept a token in the URL, which must not
// appear in an error.
func TestAddressTellsNoSecret(t *testing.T) {
	for _, target := range []string{
		"libsql://app-acme.turso.io?authToken=planted", "https://app-acme.turso.io/dbs/app#planted", "libsql://user:planted@app-acme.turso.io",
		"ws://user:planted@app-acme.turso.io", "http://db.example/?authToken=planted", "libsql:?authToken=planted", "libsql://app\x00-acme.turso.io?authToken=planted",
	} {
		_, err := libsql.Open(t.Context(), libsql.Options{Target: provider.Target{URL: target}, Source: noTokens{}})
		if !errors.Is(err, provider.ErrConfig) || strings.Contains(err.Error()+provider.Hint(err), "planted") {
			t.Errorf("Open(%q): %v, want ErrConfig without the secret", target, err)
		}
	}
}

// noTokens is a source that panics if it is used.
type noTokens struct{ transport.Source }

func TestExplain(t *testing.T) {
	refusedConnection := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for name, test := range map[string]struct {
		err  error
		kind error
		text string
	}{
		"write with a ro token":                {&hrana.Error{Code: "BLOCKED", Message: "Operation was blocked: SQL write operations are forbidden (current session doesn't have write permission)"}, provider.ErrPermission, "write permission"},
		"the plan blocks":                      {&hrana.Error{Code: "BLOCKED", Message: "SQL read operations are forbidden (reads are blocked, do you need to upgrade your plan?)"}, provider.ErrPermission, "upgrade your plan"},
		"perm refuses":                         {fmt.Errorf("x: %w", &hrana.Error{Code: "SQLITE_AUTH", Message: "not authorized"}), provider.ErrPermission, "not authorized"},
		"an SQL error":                         {&hrana.Error{Code: "SQLITE_UNKNOWN", Message: "no such table: t"}, nil, "no such table: t"},
		"forbidden":                            {&hrana.HTTPError{Status: 403, Message: "no"}, provider.ErrPermission, "no"},
		"no such database":                     {&hrana.HTTPError{Status: 404, Message: "no"}, provider.ErrConfig, "no"},
		"HTTP 429":                             {&hrana.HTTPError{Status: 429, Message: "slow down"}, provider.ErrUnavailable, "slow down"},
		"gateway":                              {&hrana.HTTPError{Status: 502, Message: "upstream"}, provider.ErrUnavailable, "upstream"},
		"a status of no known meaning":         {&hrana.HTTPError{Status: 418, Message: "teapot"}, nil, "teapot"},
		"a refused connection":                 {fmt.Errorf("hrana: %w", refusedConnection), provider.ErrUnavailable, "connection refused"},
		"no answer in time":                    {hrana.ErrTimeout, provider.ErrUnavailable, "no answer"},
		"an answer that ends early":            {fmt.Errorf("%w: answer ends early: %w", hrana.ErrProtocol, io.ErrUnexpectedEOF), provider.ErrUnavailable, "ends early"},
		"the connection ends before an answer": {fmt.Errorf("sync: %w", io.EOF), provider.ErrUnavailable, "can't be reached"},
		"the connection ends within an answer": {fmt.Errorf("sync: %w", io.ErrUnexpectedEOF), provider.ErrUnavailable, "can't be reached"},
		"full disk":                            {&fs.PathError{Op: "write", Path: "out", Err: syscall.ENOSPC}, nil, "no space left"},
		"the session's own error":              {fmt.Errorf("hrana: %w", &provider.Error{Kind: provider.ErrNoCredential, Message: "nobody is signed in"}), provider.ErrNoCredential, "nobody is signed in"},
		"a write that was applied":             {&libsql.AppliedError{Err: &provider.Error{Kind: provider.ErrUnavailable, Message: "no route"}}, provider.ErrUnavailable, "applied at the database, do not repeat it; the replica does not show it yet: no route"},
		"a canceled context":                   {fmt.Errorf("hrana: %w", context.Canceled), context.Canceled, "canceled"},
	} {
		if test.kind != nil && strings.HasPrefix(fmt.Sprintf("%T", test.err), "*hrana.") && !errors.Is(test.err, test.kind) {
			t.Errorf("%s: errors.Is doesn't find the kind in the unexplained %v", name, test.err)
		}
		err := libsql.Explain(test.err)
		if test.kind != nil && !errors.Is(err, test.kind) || test.kind == nil && provider.Kind(err) != nil || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: Explain = %v", name, err)
		}
	}
	if libsql.Explain(nil) != nil {
		t.Error("Explain(nil) is not nil")
	}
	if err := libsql.Explain(fmt.Errorf("hrana: %w", &provider.Error{Message: "plain"})); err.Error() != "plain" {
		t.Errorf("Explain kept the driver's prefix: %v", err)
	}
}

// TestExplainHangUp uses servers that close the connection before an answer and within one.
func TestExplainHangUp(t *testing.T) {
	const begun = `{"baton":null,"base_url":null,"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[{"name":"a"}],"rows":[`
	for name, answer := range map[string]func(http.ResponseWriter){
		"before the answer": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"within the answer": func(w http.ResponseWriter) {
			fmt.Fprint(w, begun)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		db := openAt(t, func(w http.ResponseWriter, _ *http.Request) { answer(w) })
		var a int
		raw := db.QueryRowContext(t.Context(), "SELECT 1 AS a").Scan(&a)
		if !errors.Is(raw, provider.ErrUnavailable) {
			t.Errorf("hung up %s the answer: errors.Is doesn't find the kind in %v", name, raw)
		}
		err := libsql.Explain(raw)
		if !errors.Is(err, provider.ErrUnavailable) || !strings.Contains(err.Error(), "the connection was cut") {
			t.Errorf("hung up %s the answer: %v", name, err)
		}
	}
}

// TestClassesWithoutExplain checks that errors.Is suffices for what database/sql returns,
// without Explain.
func TestClassesWithoutExplain(t *testing.T) {
	inBand := func(code string) string {
		return `{"baton":null,"base_url":null,"results":[{"type":"error","error":{"message":"m","code":"` + code + `"}},{"type":"ok","response":{"type":"close"}}]}`
	}
	for name, test := range map[string]struct {
		status int
		body   string
		kind   error
	}{
		"forbidden":                   {403, `{"error":"no"}`, provider.ErrPermission},
		"HTTP 404":                    {404, `{"error":"no"}`, provider.ErrConfig},
		"HTTP 429":                    {429, ``, provider.ErrUnavailable},
		"gateway":                     {502, `upstream`, provider.ErrUnavailable},
		"HTTP 418":                    {418, ``, nil},
		"an answer that is not Hrana": {200, `{"baton":`, provider.ErrUnavailable},
		"blocked":                     {200, inBand("BLOCKED"), provider.ErrPermission},
		"not authorized":              {200, inBand("SQLITE_AUTH"), provider.ErrPermission},
		"constraint":                  {200, inBand("SQLITE_CONSTRAINT"), nil},
	} {
		db := openAt(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.status)
			fmt.Fprint(w, test.body)
		})
		_, err := db.ExecContext(t.Context(), "INSERT INTO t VALUES (1)")
		if err == nil || provider.Kind(err) != test.kind {
			t.Errorf("%s: %v is of kind %v, want %v", name, err, provider.Kind(err), test.kind)
		}
	}
	db := openAt(t, func(http.ResponseWriter, *http.Request) {})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := db.ExecContext(ctx, "SELECT 1"); !errors.Is(err, context.Canceled) || provider.Kind(err) != nil {
		t.Errorf("canceled: %v", err)
	}
}

// openAt opens a database that is served by answer.
func openAt(t *testing.T, answer http.HandlerFunc) *sql.DB {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	connector, err := hrana.NewConnector(hrana.Config{URL: address, Transport: http.DefaultTransport})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}

// The error of a lost stream says nothing about the URL, even if the server answers 404.
func TestExplainLostStream(t *testing.T) {
	asked := 0
	db := openAt(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked > 1 {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error":"stream not found"}`)
			return
		}
		fmt.Fprint(w, `{"baton":"b","base_url":null,"results":[{"type":"ok","response":{"type":"batch","result":{"step_results":[null,{"cols":[],"rows":[],"affected_row_count":0,"last_insert_rowid":null}],"step_errors":[null,null]}}}]}`)
	})
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err = tx.ExecContext(t.Context(), "UPDATE t SET a = 1")
	}
	if err = libsql.Explain(err); !errors.Is(err, hrana.ErrStreamExpired) || provider.Hint(err) != "" || provider.Kind(err) != nil {
		t.Errorf("Explain = %v (hint %q), want ErrStreamExpired without a hint", err, provider.Hint(err))
	}
}
