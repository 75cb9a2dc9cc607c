package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/zen-auth/zen/internal/programs"
)

// buildExample is: example go|node|DIR TO. It builds the example in Go or JavaScript,
// or what zen provider new wrote into DIR, and puts the provider into TO.
func buildExample(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: example go|node|DIR TO")
	}
	to := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(to, 0o755))
	switch args[0] {
	case "go":
		ts.Check(runIn("../../examples/provider-go", "go", "vet", "./..."))
		ts.Check(runIn("../../examples/provider-go", "go", "test", "./..."))
		ts.Check(goBuild("../../examples/provider-go", filepath.Join(to, "zen-provider-tokenfile"+programs.Exe)))
	case "node":
		dir, err := npmCI("../../examples/provider-node")
		ts.Check(err)
		ts.Check(os.Symlink(filepath.Join(dir, "zen-provider-tokenfile-js"), filepath.Join(to, "zen-provider-tokenfile-js")))
	default:
		dir := ts.MkAbs(args[0])
		root, err := filepath.Abs("../..")
		ts.Check(err)
		ts.Check(runIn(dir, "go", "mod", "edit", "-require=github.com/zen-auth/zen@v0.0.0", "-replace=github.com/zen-auth/zen="+root))
		sums, err := os.ReadFile("../../go.sum")
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o644))
		ts.Check(runIn(dir, "go", "mod", "edit", "-fmt"))
		out, err := exec.Command("gofmt", "-l", dir).CombinedOutput()
		if err != nil || len(out) > 0 {
			ts.Fatalf("gofmt: %s (%v)", out, err)
		}
		ts.Check(runIn(dir, "go", "vet", "-mod=mod", "./..."))
		ts.Check(runIn(dir, "go", "test", "-mod=mod", "./..."))
		ts.Check(goBuild(dir, filepath.Join(to, filepath.Base(dir)+programs.Exe), "-mod=mod"))
	}
}

// needTools is: needs TOOL... Where CI=true, a tool that is missing is a failure; the
// script skips it elsewhere.
func needTools(ts *testscript.TestScript, _ bool, tools []string) {
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil && os.Getenv("CI") == "true" {
			ts.Fatalf("%s is missing", tool)
		}
	}
}

func goBuild(dir, to string, flags ...string) error {
	return runIn(dir, "go", append(append([]string{"build"}, flags...), "-o", to, ".")...)
}

func runIn(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// npmCI returns a directory with the files of dir and what its lock file names. It is
// installed once for each state of them, in the user's cache.
func npmCI(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	hash, files := sha256.New(), make(map[string][]byte)
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		if files[entry.Name()], err = os.ReadFile(filepath.Join(dir, entry.Name())); err != nil {
			return "", err
		}
		fmt.Fprintf(hash, "%s\x00%s\x00", entry.Name(), files[entry.Name()])
	}
	protos := "../../proto/zen/provider/v1"
	if entries, err = os.ReadDir(protos); err != nil {
		return "", err
	}
	for _, entry := range entries {
		if name := entry.Name(); strings.HasSuffix(name, ".proto") {
			path := filepath.Join("zen", "provider", "v1", name)
			if files[path], err = os.ReadFile(filepath.Join(protos, name)); err != nil {
				return "", err
			}
			fmt.Fprintf(hash, "%s\x00%s\x00", path, files[path])
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	cache = filepath.Join(cache, "zen-test")
	installed := filepath.Join(cache, "provider-"+hex.EncodeToString(hash.Sum(nil)[:8]))
	if _, err := os.Stat(installed); err == nil {
		return installed, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(cache, "npm-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return "", err
	}
	for name, data := range files {
		path := filepath.Join(tmp, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		mode := os.FileMode(0o644)
		if strings.HasPrefix(name, "zen-provider-") {
			mode = 0o755
		}
		if err := os.WriteFile(path, data, mode); err != nil {
			return "", err
		}
	}
	if err := runIn(tmp, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"); err != nil {
		return "", err
	}
	if err := os.Rename(tmp, installed); err != nil {
		if _, gone := os.Stat(installed); gone != nil { // nobody else was faster either
			return "", err
		}
	}
	return installed, nil
}
