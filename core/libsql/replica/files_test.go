//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// Damaged files that go-libsql can leave behind are replaced; files that never were a replica
// are left alone.
func TestFilesThatDoNotFit(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	src := newSource(t, stack)
	exec(t, remote(t, options(t, stack, src)), "CREATE TABLE t AS SELECT 7 AS a")
	write := func(path, content string) { must(t, os.WriteFile(path, []byte(content), 0o600)) }
	make := func(t *testing.T) (libsql.Options, string) {
		o := options(t, stack, src)
		db := open(t, o)
		must(t, db.Close())
		return o, o.Path
	}
	for name, damage := range map[string]func(path string){
		"no -info":           func(path string) { must(t, os.Remove(path+"-info")) },
		"no database":        func(path string) { must(t, os.Remove(path)) },
		"-info of zeros":     func(path string) { write(path+"-info", "\x00\x00") },
		"-info cut":          func(path string) { write(path+"-info", `{"hash":1`) },
		"-info changed":      func(path string) { write(path+"-info", `{"hash":1,"version":0,"durable_frame_num":9,"generation":1}`) },
		"not an SQLite file": func(path string) { must(t, os.Remove(path+"-wal")); write(path, strings.Repeat("x", 8192)) },
		"refused by V1": func(path string) {
			must(t, os.Remove(path+"-info"))
			must(t, os.Remove(path+"-zen"))
			write(path+"-client_wal_index", "")
		},
		"only a log":                  func(path string) { must(t, os.Remove(path)); must(t, os.Remove(path+"-info")); write(path+"-wal", "x") },
		"a marker without a database": func(path string) { must(t, os.Remove(path+"-info")); write(path+"-wal", "x") },
	} {
		t.Run(name, func(t *testing.T) {
			o, path := make(t)
			damage(path)
			before := files(t, path)
			db := open(t, o)
			sees(t, db, "SELECT a FROM t", 7)
			kept := 0
			for _, name := range files(t, path) {
				if strings.Contains(name, ".damaged-") {
					kept++
				}
			}
			if kept == 0 || kept < len(before)-2 {
				t.Errorf("%d of %v were kept as .damaged", kept, before)
			}
		})
	}
	for name, prepare := range map[string]func(path string){
		"a database of its own":      func(path string) { write(path, "SQLite format 3\x00") },
		"a directory":                func(path string) { must(t, os.Mkdir(path, 0o700)) },
		"another database's replica": func(path string) { write(path+"-zen", `{"database":"libsql://other.turso.io"}`) },
		"damaged claim":              func(path string) { write(path+"-zen", "x") },
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, stack, src)
			prepare(o.Path)
			before := files(t, o.Path)
			if db, err := libsql.Open(t.Context(), o); !errors.Is(err, provider.ErrConfig) || provider.Hint(err) == "" {
				t.Errorf("Open: %v, want ErrConfig with a hint", err)
				if err == nil {
					db.Close()
				}
			}
			if after := files(t, o.Path); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("files %v, want %v", after, before)
			}
		})
	}
}

// files returns the names beside a path.
func files(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(path[:strings.LastIndexByte(path, '/')])
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// A replica is a copy of data that a token protects, so its files are private. If the owner
// opens one to others, that mode stays.
func TestFilesArePrivate(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	src := newSource(t, stack)
	o := options(t, stack, src)
	defer syscall.Umask(syscall.Umask(0)) // so that no umask hides a wrong mode
	db := open(t, o)
	exec(t, db, "CREATE TABLE t AS SELECT 7 AS a")
	sees(t, db, "SELECT a FROM t", 7)
	mode := func(suffix string) os.FileMode {
		t.Helper()
		info, err := os.Stat(o.Path + suffix)
		must(t, err)
		return info.Mode().Perm()
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-info", "-zen"} {
		if mode(suffix) != 0o600 {
			t.Errorf("%q has mode %o", suffix, mode(suffix))
		}
	}
	must(t, db.Close())
	must(t, os.Chmod(o.Path, 0o640))
	must(t, open(t, o).Close())
	if mode("") != 0o640 {
		t.Errorf("after the next open it has mode %o, want 640", mode(""))
	}
}

// unplugged is a network that can be switched off.
type unplugged struct{ off atomic.Bool }

func (u *unplugged) RoundTrip(r *http.Request) (*http.Response, error) {
	if u.off.Load() {
		return noNetwork{}.RoundTrip(r)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// Files may turn out to be damaged only after they were opened offline. Readers then switch
// to the new files.
func TestReadersFollowRecovery(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	network := new(unplugged)
	o.Base = network
	db := open(t, o)
	exec(t, db, "CREATE TABLE t AS SELECT 7 AS a")
	must(t, db.Close())
	network.off.Store(true)
	db = open(t, o)
	sees(t, db, "SELECT a FROM t", 7)
	must(t, os.Remove(o.Path+"-info"))
	network.off.Store(false)
	if synced := syncNow(t, db); synced.Recovered == "" {
		t.Errorf("not recovered: %+v", synced)
	}
	sees(t, db, "SELECT a FROM t", 7)
	exec(t, db, "UPDATE t SET a = 8")
	sees(t, db, "SELECT a FROM t", 8)
}

// A database that was created again has another ID at the same URL.
func TestReplicaOfAnEarlierDatabase(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	must(t, open(t, o).Close())
	o.Target.DatabaseID = "b2b7f3ac-9a0c-4d63-a0a3-7d4c7a6b1f10"
	_, err := libsql.Open(t.Context(), o)
	if !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), "an earlier database") || provider.Hint(err) == "" {
		t.Errorf("%v (hint %q)", err, provider.Hint(err))
	}
}
