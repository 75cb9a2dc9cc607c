//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

// FuzzFiles reads -info and -zen that anybody may have written: whatever is in them, it
// is an answer or an error, and nothing is touched.
func FuzzFiles(f *testing.F) {
	f.Add(`{"hash":1,"version":0,"durable_frame_num":2,"generation":3}`, `{"database":"libsql://a"}`)
	f.Add(`{"hash":4294967295,"version":-1}`, ``)
	f.Add("\x00", "[]")
	f.Add(`{"hash":1e99,"generation":"1"}`, `{"database":"libsql://b","database_id":"x"}`)
	path := filepath.Join(f.TempDir(), "replica.db")
	f.Fuzz(func(t *testing.T, info, marker string) {
		fs := files{path, provider.Target{URL: "libsql://a"}}
		for name, content := range map[string]string{path: "", fs.info(): info, fs.marker(): marker} {
			if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		was, err := fs.look()
		progress, infoErr := fs.metadata()
		if err != nil && !errors.Is(err, provider.ErrConfig) {
			t.Errorf("%v", err)
		}
		if err == nil && (was == synced) != (infoErr == nil) {
			t.Errorf("state %d with %v", was, infoErr)
		}
		if infoErr == nil && progress.Generation == 0 || infoErr != nil && progress.Generation != 0 {
			t.Errorf("%+v, %v", progress, infoErr)
		}
	})
}

// FuzzCause takes what go-libsql may say: the error is never empty, and never of
// several lines' worth of go-libsql's preamble.
func FuzzCause(f *testing.F) {
	const path, url = "/tmp/r.db", "http://127.0.0.1:1"
	for _, text := range []string{
		"failed to open database /tmp/r.db http://127.0.0.1:1\nerror code = 6: Error opening db path /tmp/r.db, primary url http://127.0.0.1:1: sync error: Unauthorized",
		"failed to sync database \nerror code = 1: Error syncing database: sync error: failed to pull frame: status=401 Unauthorized, error=B",
		"failed to sync database \nerror code = 1: Error syncing database: sync error: invalid local state: db file exists but metadata file does not",
		"failed to sync database \nerror code = 1: Error syncing database: SQLite failure: `database is locked`", "",
	} {
		f.Add(text, true)
		f.Add(text, false)
	}
	seen := errors.New("what the gateway saw")
	f.Fuzz(func(t *testing.T, text string, failed bool) {
		var saw error
		if failed {
			saw = seen
		}
		err := cause(errors.New(text), saw, path, url)
		if err == nil || err.Error() == "" || strings.Contains(err.Error(), url) {
			t.Errorf("%q: %v", text, err)
		}
		for _, local := range []string{"invalid local state", "failed to verify metadata"} {
			if strings.HasSuffix(text, "sync error: "+local) && !errors.Is(err, errDamaged) {
				t.Errorf("%q: %v", text, err)
			}
		}
		if failed && !errors.Is(err, errDamaged) && !errors.Is(err, errBusy) && !errors.Is(err, seen) && provider.Kind(err) == nil {
			t.Errorf("%q: the gateway's error is lost: %v", text, err)
		}
	})
}
