//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// played is a transport where a test answers some requests, and the database the others.
type played func(r *http.Request) *http.Response

// RoundTrip implements http.RoundTripper.
func (p played) RoundTrip(r *http.Request) (*http.Response, error) {
	if resp := p(r); resp != nil {
		resp.Request = r
		return resp, nil
	}
	return http.DefaultTransport.RoundTrip(r)
}

func says(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

// frameBytes is the length of a frame in the write-ahead log.
const frameBytes = 24 + 4096

// An unexpected answer to a sync is an error that describes it, and the files it leaves can
// be synced later.
func TestAnswersOfTheSyncProtocol(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	src := newSource(t, stack)
	frame := strings.Repeat("\x00", frameBytes)
	for name, test := range map[string]struct {
		path   string // of the request that the test answers
		status int
		body   string
		kind   error
		want   string
	}{
		"old server":                       {"/info", 404, "Not Found", nil, "HTTP status 404: Not Found"},
		"plain server":                     {"/info", 404, "", provider.ErrConfig, "this server has no sync V2; use remote"},
		"no generation":                    {"/info", 200, `{"current_generation":0}`, nil, "doesn't speak the sync protocol"},
		"a page":                           {"/info", 200, "<html>", nil, "doesn't speak the sync protocol"},
		"a plan without replicas":          {"/info", 403, `{"error":"embedded replicas are not supported"}`, provider.ErrPermission, "HTTP status 403: embedded replicas are not supported"},
		"redirect":                         {"/info", 302, "", nil, "redirects are not followed"},
		"half a frame":                     {"/sync/1/", 200, frame + "x", nil, "4121 bytes"},
		"a frame of page 0":                {"/sync/1/", 200, frame[:7] + "\x01" + frame[8:], nil, "page 0"},
		"no data":                          {"/sync/1/", 200, "", nil, "0 bytes"},
		"400 without a generation":         {"/sync/1/", 400, `{"error":"x"}`, nil, "HTTP status 400: x"},
		"generation 0 ends":                {"/sync/1/", 400, `{"generation":0}`, nil, "HTTP status 400"},
		"gateway":                          {"/sync/1/", 502, "upstream forward failed", provider.ErrUnavailable, "HTTP status 502: upstream forward failed"},
		"a locked database":                {"/export/1", 503, `{"error":"locked"}`, provider.ErrUnavailable, "HTTP status 503: locked"},
		"an export that is not a database": {"/export/1", 200, strings.Repeat("no database ", 1024), nil, "fetched"},
		"half a file":                      {"/export/1", 200, strings.Repeat("no database ", 1000), nil, "12000 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, stack, src)
			o.Base = played(func(r *http.Request) *http.Response {
				if strings.Contains(r.URL.Path, test.path) {
					return says(test.status, test.body)
				}
				return nil
			})
			db, err := libsql.Open(t.Context(), o)
			if err == nil { // to read what the generation began with
				_, err = libsql.Sync(t.Context(), db)
				must(t, db.Close())
			}
			if err == nil {
				t.Fatal("Sync returned no error")
			}
			if test.kind != nil && !errors.Is(err, test.kind) || !strings.Contains(err.Error()+provider.Hint(err), test.want) {
				t.Errorf("%v (hint %q)", err, provider.Hint(err))
			}
			o.Base = nil
			sees(t, open(t, o), "SELECT 1", 1)
		})
	}
}

// The library copies one of the file's own pages from a frame. With another page size it
// would read past the frame, and copy foreign memory into the file's log.
func TestPagesOfAnotherSize(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	src := newSource(t, stack)
	for _, size := range []int{512, 8192, 65536} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "exported.db")
			made := open(t, libsql.Options{Target: provider.Target{URL: "file:" + path}})
			exec(t, made, "PRAGMA journal_mode = DELETE")
			exec(t, made, fmt.Sprintf("PRAGMA page_size = %d", size))
			exec(t, made, "VACUUM")
			must(t, made.Close())
			exported, err := os.ReadFile(path)
			must(t, err)
			o := options(t, stack, src)
			o.Base = played(func(r *http.Request) *http.Response {
				switch {
				case strings.Contains(r.URL.Path, "/export/"):
					return says(200, string(exported)+strings.Repeat("\x00", (8192-len(exported)%8192)%8192))
				case strings.Contains(r.URL.Path, "/sync/1/1/"):
					return says(200, "\x00\x00\x00\x03\x00\x00\x00\x03"+strings.Repeat("x", frameBytes-8))
				case strings.Contains(r.URL.Path, "/sync/"):
					return says(400, `{"generation":1}`)
				}
				return nil
			})
			db, err := libsql.Open(t.Context(), o)
			if !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), fmt.Sprintf("pages of %d bytes", size)) {
				t.Errorf("Open: %v, want ErrConfig with the size of the pages", err)
			}
			if err == nil {
				must(t, db.Close())
			}
			if log, err := os.ReadFile(o.Path + "-wal"); len(log) > 0 {
				t.Errorf("the log has %d bytes, %v", len(log), err)
			}
		})
	}
}

// A transaction whose end is missing from the log is not visible at all.
func TestLogEndsInATransaction(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	db := open(t, o)
	exec(t, db, "CREATE TABLE t AS SELECT 1 AS a")
	must(t, db.Close())
	cut, asked := o, 0
	cut.Base = played(func(r *http.Request) *http.Response {
		if !strings.Contains(r.URL.Path, "/sync/") {
			return nil
		}
		if asked++; asked == 1 {
			return says(200, "\x00\x00\x00\x01"+strings.Repeat("\x00", frameBytes-4))
		}
		return says(400, `{"generation":1}`)
	})
	db = open(t, cut)
	asked = 0
	if _, err := libsql.Sync(t.Context(), db); err == nil || !strings.Contains(err.Error(), "middle of a transaction") {
		t.Errorf("Sync of half a transaction: %v", err)
	}
	sees(t, db, "SELECT a FROM t", 1)
	must(t, db.Close())
	db = open(t, o)
	exec(t, db, "UPDATE t SET a = 2")
	sees(t, db, "SELECT a FROM t", 2)
	sees(t, db, "PRAGMA integrity_check", "ok")
}

// A killed program may have written more of the log than it recorded. What is received again
// is compared, and a log that differs is fetched anew.
func TestLogIsAheadOfItsRecord(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	db := open(t, o)
	exec(t, db, "CREATE TABLE t (a INTEGER)")
	noted, err := os.ReadFile(o.Path + "-info")
	must(t, err)
	for range 3 {
		exec(t, db, "INSERT INTO t VALUES (1)")
	}
	must(t, db.Close())
	for _, changed := range []bool{false, true} {
		must(t, os.WriteFile(o.Path+"-info", noted, 0o600))
		again, first := o, true
		again.Base = played(func(r *http.Request) *http.Response {
			if !changed || !first || !strings.Contains(r.URL.Path, "/sync/") {
				return nil
			}
			first = false
			resp, err := http.DefaultTransport.RoundTrip(r)
			must(t, err)
			frames, err := io.ReadAll(resp.Body)
			must(t, err)
			must(t, resp.Body.Close())
			frames[frameBytes-1]++
			return says(resp.StatusCode, string(frames))
		})
		db := open(t, again)
		sees(t, db, "SELECT sum(a) FROM t", 3)
		sees(t, db, "PRAGMA integrity_check", "ok")
		exec(t, db, "UPDATE t SET a = 2")
		sees(t, db, "SELECT sum(a) FROM t", 6)
		must(t, db.Close())
		moved := len(files(t, o.Path)) > 5
		if moved != changed {
			t.Errorf("changed %v: the files are %q", changed, files(t, o.Path))
		}
		exec(t, remote(t, o), "UPDATE t SET a = 1")
	}
}
