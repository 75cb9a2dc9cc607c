package provider

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

func TestFilesAreWrittenBelowTheirDirectoryAlone(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "app")); err != nil {
		t.Skip("symbolic links are not supported: ", err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "src"), 0o755), os.Symlink("src", filepath.Join(dir, "lib"))); err != nil {
		t.Fatal(err)
	}
	for path, written := range map[string]bool{
		"app/route.ts": false, "app/cli/route.ts": false, "../route.ts": false, filepath.Join(outside, "route.ts"): false,
		"lib/route.ts": true, "new/route.ts": true,
	} {
		err := writeFiles("--write", dir, []provider.SetupFile{{Path: path, Text: "text"}}, "")
		if (err == nil) != written {
			t.Errorf("writeFiles(%s) = %v", path, err)
		}
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("outside the directory: %v, %v", left, err)
	}
}
