package programs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Packages are tested in parallel: each has complete programs of its own, from one build.
func TestInstall(t *testing.T) {
	dirs := []string{t.TempDir(), t.TempDir()}
	errs := make([]error, len(dirs))
	var both sync.WaitGroup
	for i, dir := range dirs {
		both.Go(func() { errs[i] = Install(dir, false) })
	}
	both.Wait()
	for i, dir := range dirs {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		sums, err := Sums(dir)
		if err != nil || sums["clerk"] == "" {
			t.Errorf("%d sums, %v", len(sums), err)
		}
		out, err := exec.Command(filepath.Join(dir, "zen"+Exe), "version").CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "zen ") {
			t.Errorf("zen version: %v\n%s", err, out)
		}
	}
	// Changing one copy doesn't affect the others.
	if err := os.WriteFile(filepath.Join(dirs[0], "zen-full"+Exe), []byte("broken"), 0o755); err != nil {
		t.Fatal(err)
	}
	again := t.TempDir()
	if err := Install(again, false); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{dirs[1], again} {
		if out, err := exec.Command(filepath.Join(dir, "zen"+Exe), "version").CombinedOutput(); err != nil {
			t.Errorf("zen version: %v\n%s", err, out)
		}
	}
}

// A package that finds methods by their names makes the linker keep every method of every
// type: a sixth of a provider, all of which is hashed at each of its starts.
func TestProvidersFindNoMethodsByName(t *testing.T) {
	dir := t.TempDir()
	if err := Install(dir, false); err != nil {
		t.Fatal(err)
	}
	names, err := bundled()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, provider(name)))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(data, []byte("zen/core/plugin.Serve")) {
			t.Fatalf("%s names no functions", name)
		}
		for _, function := range []string{"net/rpc.suitableMethods", "text/template.(*state).evalField", "x/net/trace.RenderEvents"} {
			if bytes.Contains(data, []byte(function)) {
				t.Errorf("%s links %s", name, function)
			}
		}
	}
}
