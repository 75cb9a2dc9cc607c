package provider_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "token")
	if err := os.WriteFile(path, []byte(strings.Repeat("x", 1024)), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := provider.ReadFile(path, 1024); err != nil || len(data) != 1024 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if data, err := provider.ReadFile(path, 1023); err == nil || len(data) != 0 || !strings.Contains(err.Error(), path) {
		t.Errorf("a file over the limit: %d bytes, %v", len(data), err)
	}
	if _, err := provider.ReadFile(dir, 1024); err == nil || err.Error() != "read "+dir+": is a directory" {
		t.Errorf("a directory: %v", err)
	}
	if _, err := provider.ReadFile(path+"s", 1024); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}
