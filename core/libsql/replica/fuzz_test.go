//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

// FuzzFiles reads arbitrary -info and -zen files: whatever their content, the result is an
// answer or an error.
func FuzzFiles(f *testing.F) {
	f.Add(`{"hash":1,"version":0,"durable_frame_num":2,"generation":3}`, `{"database":"libsql://a"}`)
	f.Add(`{"hash":4294967295,"version":-1}`, ``)
	f.Add("\x00", "[]")
	f.Add(`{"hash":1e99,"generation":"1"}`, `{"database":"libsql://b","database_id":"x"}`)
	path := filepath.Join(f.TempDir(), "replica.db")
	f.Fuzz(func(t *testing.T, info, marker string) {
		fs := files{path, provider.Target{URL: "libsql://a"}, new(anchor)}
		for name, content := range map[string]string{path: "", fs.info(): info, fs.marker(): marker} {
			if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		was, err := fs.look()
		progress, infoErr := fs.metadata()
		if err != nil && !errors.Is(err, provider.ErrConfig) {
			t.Errorf("look: %v, want ErrConfig", err)
		}
		if err == nil && (was == synced) != (infoErr == nil) {
			t.Errorf("state %d with %v", was, infoErr)
		}
		if infoErr == nil && progress.Generation == 0 || infoErr != nil && progress.Generation != 0 {
			t.Errorf("metadata = %+v, %v", progress, infoErr)
		}
	})
}
