//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
)

func file(path string) libsql.Options {
	return libsql.Options{Target: provider.Target{URL: "file:" + path}}
}

func TestFileIsEncrypted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	o := file(path)
	o.Encryption = provider.NewSecret("correct horse")
	db := open(t, o)
	exec(t, db, "CREATE TABLE t AS SELECT 'planted' AS a")
	must(t, db.Close())
	if content, err := os.ReadFile(path); err != nil || strings.Contains(string(content), "planted") || strings.HasPrefix(string(content), "SQLite") {
		t.Errorf("the file is not encrypted: %v", err)
	}
	for name, key := range map[string]string{"another key": "battery staple", "no key": ""} {
		wrong := o
		wrong.Encryption = provider.NewSecret(key)
		if _, err := libsql.Open(t.Context(), wrong); !errors.Is(err, provider.ErrConfig) || !strings.Contains(provider.Hint(err), "another key") {
			t.Errorf("Open with %s: %v, want ErrConfig with a hint", name, err)
		}
	}
	sees(t, open(t, o), "SELECT a FROM t", "planted")
}

func TestReadOnlyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	exec(t, open(t, file(path)), "CREATE TABLE t AS SELECT 1 AS a")
	o := file(path)
	o.ReadOnly = true
	db := open(t, o)
	sees(t, db, "SELECT a FROM t", 1)
	if _, err := db.ExecContext(t.Context(), "DELETE FROM t"); !errors.Is(err, &hrana.Error{Code: "SQLITE_READONLY"}) {
		t.Errorf("write: %v", err)
	}
	o.Target.URL += ".missing"
	if _, err := libsql.Open(t.Context(), o); !errors.Is(err, provider.ErrConfig) {
		t.Errorf("a missing file: %v", err)
	}
}

// A lock is waited for as long as Timeout, and no longer than the context allows.
func TestLockedFile(t *testing.T) {
	o := file(filepath.Join(t.TempDir(), "x.db"))
	o.Timeout = 200 * time.Millisecond
	one := open(t, o)
	exec(t, one, "CREATE TABLE t (a)")
	conn, err := one.Conn(t.Context())
	must(t, err)
	defer conn.Close()
	_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	must(t, err)
	began := time.Now()
	_, err = one.ExecContext(t.Context(), "INSERT INTO t VALUES (1)")
	if took := time.Since(began); !errors.Is(err, &hrana.Error{Code: "SQLITE_BUSY"}) || took < 150*time.Millisecond {
		t.Errorf("%v after %v", err, took)
	}
	o.Timeout = time.Hour
	two := open(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err = two.ExecContext(ctx, "INSERT INTO t VALUES (1)"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a write to a locked file: %v, want context.DeadlineExceeded", err)
	}
	time.AfterFunc(50*time.Millisecond, func() { conn.ExecContext(context.Background(), "COMMIT") })
	exec(t, two, "INSERT INTO t VALUES (2)")
	sees(t, two, "SELECT group_concat(a) FROM t", "2")
}

func TestMemoryIsOneDatabaseOfAHandle(t *testing.T) {
	o := libsql.Options{Target: provider.Target{URL: ":memory:"}}
	one, two := open(t, o), open(t, o)
	exec(t, one, "CREATE TABLE t (a)")
	sees(t, two, "SELECT count(*) FROM sqlite_schema", 0)
	one.SetMaxIdleConns(0)
	var conns []*sql.Conn
	for range 3 {
		conn, err := one.Conn(t.Context())
		must(t, err)
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		must(t, conn.Close())
	}
	sees(t, one, "SELECT count(*) FROM sqlite_schema", 1)
}

// An error names what can't be opened, why, and what would be right.
func TestBadOptions(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain.txt")
	must(t, os.WriteFile(plain, []byte(strings.Repeat("no database ", 1000)), 0o600))
	source := new(source)
	remote := provider.Target{URL: "libsql://app-acme.turso.io"}
	for name, test := range map[string]struct {
		o    libsql.Options
		text string
	}{
		"a directory":           {file(dir), "unable to open"},
		"no directory":          {file(filepath.Join(dir, "none", "x.db")), "unable to open"},
		"not a database":        {file(plain), "file is not a database"},
		"empty":                 {libsql.Options{Target: provider.Target{URL: "file:"}}, "not of the form file:PATH"},
		"parameters":            {file("x.db?mode=ro"), "parameters"},
		"a host":                {libsql.Options{Target: provider.Target{URL: "file://host/x.db"}}, "not of the form file:PATH"},
		"unknown mode":          {libsql.Options{Target: remote, Mode: "offline"}, `mode "offline" is not remote, replica or local`},
		"file in mode remote":   {libsql.Options{Target: file("x").Target, Mode: libsql.Remote}, "needs a database at a server"},
		"URL in mode local":     {libsql.Options{Target: remote, Mode: libsql.Local}, "opens a file"},
		"replica without path":  {libsql.Options{Target: remote, Mode: libsql.Replica, Source: source}, "needs the path of a file"},
		"path in mode remote":   {libsql.Options{Target: remote, Mode: libsql.Remote, Path: "x", Source: source}, "keeps no replica"},
		"path of a file":        {libsql.Options{Target: file("x").Target, Path: "x"}, "keeps no replica"},
		"interval, remote":      {libsql.Options{Target: remote, SyncInterval: time.Second, Source: source}, "nothing to sync"},
		"interval, short":       {libsql.Options{Target: remote, Path: "x", SyncInterval: time.Millisecond, Source: source}, "shorter than 100ms"},
		"interval, negative":    {libsql.Options{Target: remote, Path: "x", SyncInterval: -1, Source: source}, "shorter than 100ms"},
		"encrypted replica":     {libsql.Options{Target: remote, Path: "x", Encryption: provider.NewSecret("k"), Source: source}, "can't be encrypted"},
		"encrypted remote":      {libsql.Options{Target: remote, Encryption: provider.NewSecret("k"), Source: source}, "keeps no file"},
		"remote key of a file":  {libsql.Options{Target: file("x").Target, RemoteEncryption: provider.NewSecret("k")}, "no server"},
		"encrypted memory":      {libsql.Options{Target: provider.Target{URL: ":memory:"}, Encryption: provider.NewSecret("k")}, "can't be encrypted"},
		"read-only memory":      {libsql.Options{Target: provider.Target{URL: ":memory:"}, ReadOnly: true}, "is empty"},
		"negative timeout":      {libsql.Options{Target: remote, Timeout: -1, Source: source}, "negative"},
		"http":                  {libsql.Options{Target: provider.Target{URL: "http://db.example"}, Source: source}, "unencrypted"},
		"websocket":             {libsql.Options{Target: provider.Target{URL: "wss://db.example"}, Source: source}, "scheme"},
		"no URL":                {libsql.Options{Target: provider.Target{URL: "app.db"}, Source: source}, "not of the form"},
		"replica: no directory": {libsql.Options{Target: remote, Path: filepath.Join(dir, "none", "x"), Source: source}, "has no directory"},
		"replica: a directory":  {libsql.Options{Target: remote, Path: dir, Source: source}, "is not a file"},
		"replica: no database":  {libsql.Options{Target: remote, Path: plain, Source: source}, "a database of its own"},
	} {
		db, err := libsql.Open(t.Context(), test.o)
		if !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), test.text) || strings.ContainsAny(err.Error(), "\n") {
			t.Errorf("Open: %s: %v", name, err)
		}
		if err == nil {
			db.Close()
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("Open wrote files: %v", entries)
	}
}
