package pin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

func TestOverrides(t *testing.T) {
	path, binary := filepath.Join(t.TempDir(), "state", "overrides.toml"), filepath.Join(t.TempDir(), "p")
	if paths, err := NewOverrides(path).Load(); err != nil || len(paths) != 0 {
		t.Fatalf("without a file: %v, %v", paths, err)
	}
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() { // each with its own Overrides, as in separate processes
			if err := NewOverrides(path).Set(t.Context(), fmt.Sprint("p", i), binary); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	overrides := NewOverrides(path)
	for _, want := range []bool{true, false} {
		if found, err := overrides.Remove(t.Context(), "p0"); found != want || err != nil {
			t.Errorf("Remove = %v, %v", found, err)
		}
	}
	paths, err := overrides.Load()
	if err != nil || len(paths) != 3 || paths["p1"] != binary {
		t.Errorf("Load = %v, %v, want three overrides", paths, err)
	}
}

func TestOverrideFilesThatOverrideNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "overrides.toml")
	for name, test := range map[string]struct {
		data string
		mode os.FileMode
	}{
		"relative": {"version = 1\n[overrides]\nacme = 'acme'\n", 0o600},
		"newer":    {"version = 2\n", 0o600},
		"unknown":  {"version = 1\nall = true\n", 0o600},
		"broken":   {"version =", 0o600},
		"writable": {"version = 1\n[overrides]\nacme = '/bin/acme'\n", 0o666},
	} {
		if runtime.GOOS == "windows" && (name == "writable" || name == "relative") {
			continue
		}
		if err := os.WriteFile(path, []byte(test.data), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, test.mode); err != nil {
			t.Fatal(err)
		}
		if paths, err := NewOverrides(path).Load(); !errors.Is(err, provider.ErrConfig) || paths != nil {
			t.Errorf("%s: Load = %v, %v, want ErrConfig", name, paths, err)
		}
	}
}
