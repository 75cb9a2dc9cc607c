package libsql_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
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
			t.Errorf("%q: %v, %v", target, u, err)
		case want != "" && (err != nil || u.String() != want):
			t.Errorf("%q: %v, %v", target, u, err)
		}
	}
}

func TestExplain(t *testing.T) {
	refusedConnection := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for name, test := range map[string]struct {
		err  error
		kind error
		text string
	}{
		"write with a ro token": {&hrana.Error{Code: "BLOCKED", Message: "Operation was blocked: SQL write operations are forbidden (current session doesn't have write permission)"}, provider.ErrPermission, "write permission"},
		"the plan blocks":       {&hrana.Error{Code: "BLOCKED", Message: "SQL read operations are forbidden (reads are blocked, do you need to upgrade your plan?)"}, provider.ErrPermission, "upgrade your plan"},
		"perm refuses":          {fmt.Errorf("x: %w", &hrana.Error{Code: "SQLITE_AUTH", Message: "not authorized"}), provider.ErrPermission, "not authorized"},
		"SQL":                   {&hrana.Error{Code: "SQLITE_UNKNOWN", Message: "no such table: t"}, nil, "no such table: t"},
		"forbidden":             {&hrana.HTTPError{Status: 403, Message: "no"}, provider.ErrPermission, "no"},
		"no such database":      {&hrana.HTTPError{Status: 404, Message: "no"}, provider.ErrConfig, "no"},
		"busy":                  {&hrana.HTTPError{Status: 429, Message: "slow down"}, provider.ErrUnavailable, "slow down"},
		"gateway":               {&hrana.HTTPError{Status: 502, Message: "upstream"}, provider.ErrUnavailable, "upstream"},
		"other status":          {&hrana.HTTPError{Status: 418, Message: "teapot"}, nil, "teapot"},
		"network":               {fmt.Errorf("hrana: %w", refusedConnection), provider.ErrUnavailable, "connection refused"},
		"full disk":             {&fs.PathError{Op: "write", Path: "out", Err: syscall.ENOSPC}, nil, "no space left"},
		"session":               {fmt.Errorf("hrana: %w", &provider.Error{Kind: provider.ErrNoCredential, Message: "nobody is signed in"}), provider.ErrNoCredential, "nobody is signed in"},
		"applied":               {&libsql.AppliedError{Err: &provider.Error{Kind: provider.ErrUnavailable, Message: "no route"}}, provider.ErrUnavailable, "applied at the database, do not repeat it; the replica does not show it yet: no route"},
		"interrupt":             {fmt.Errorf("hrana: %w", context.Canceled), context.Canceled, "canceled"},
	} {
		err := libsql.Explain(test.err)
		if test.kind != nil && !errors.Is(err, test.kind) || test.kind == nil && provider.Kind(err) != nil || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if libsql.Explain(nil) != nil {
		t.Error("nil is an error")
	}
	if err := libsql.Explain(fmt.Errorf("hrana: %w", &provider.Error{Message: "plain"})); err.Error() != "plain" {
		t.Errorf("the driver's words are still there: %v", err)
	}
}
