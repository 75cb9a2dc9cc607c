package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/zen-auth/zen/internal/programs"
)

// buildExample is the command "example go|DIR TO". It builds the Go example, or what zen
// provider new wrote into DIR, and puts the provider into TO.
func buildExample(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: example go|DIR TO")
	}
	to := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(to, 0o755))
	if args[0] == "go" {
		ts.Check(runIn("../../examples/provider-go", "go", "vet", "./..."))
		ts.Check(runIn("../../examples/provider-go", "go", "test", "./..."))
		ts.Check(goBuild("../../examples/provider-go", filepath.Join(to, "zen-provider-tokenfile"+programs.Exe)))
		return
	}
	dir := ts.MkAbs(args[0])
	name := filepath.Base(dir)
	switch {
	case exists(filepath.Join(dir, "package-lock.json")):
		ts.Check(install(dir, "node_modules", []string{"package.json", "package-lock.json"}, npmCI...))
	case exists(filepath.Join(dir, "requirements.txt")):
		ts.Check(install(dir, "lib", []string{"requirements.txt"},
			"python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", "--target", "lib", "-r", "requirements.txt"))
	default:
		buildGo(ts, dir, filepath.Join(to, name+programs.Exe))
		return
	}
	ts.Check(os.Symlink(filepath.Join(dir, name), filepath.Join(to, name)))
}

// buildGo builds and tests a module that names the repository in a replace directive.
func buildGo(ts *testscript.TestScript, dir, to string) {
	sums, err := os.ReadFile("../../go.sum")
	ts.Check(err)
	ts.Check(os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o644))
	ts.Check(runIn(dir, "go", "mod", "edit", "-fmt"))
	out, err := exec.Command("gofmt", "-l", dir).CombinedOutput()
	if err != nil || len(out) > 0 {
		ts.Fatalf("gofmt: %s (%v)", out, err)
	}
	vet := "-vet=off" // vet would load all imported packages
	if !testing.Short() {
		vet = "-vet=all"
	}
	ts.Check(runIn(dir, "go", "test", "-mod=mod", vet, "./..."))
	ts.Check(goBuild(dir, to, "-mod=mod"))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// needTools is the command "needs TOOL...". With CI=true a missing tool is a failure;
// elsewhere the script skips.
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

// npmCI installs the packages of package-lock.json into node_modules.
var npmCI = []string{"npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"}

// install makes DIR/into a link to what the command installs. Each state of the lock files is
// installed once, in the user's cache.
func install(dir, into string, locks []string, command ...string) error {
	hash, files := sha256.New(), make(map[string][]byte)
	for _, name := range locks {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		files[name] = data
		fmt.Fprintf(hash, "%s\x00%s\x00", name, data)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	cache = filepath.Join(cache, "zen-test")
	installed := filepath.Join(cache, into+"-of-"+hex.EncodeToString(hash.Sum(nil)[:8]))
	if !exists(installed) {
		if err := os.MkdirAll(cache, 0o755); err != nil {
			return err
		}
		tmp, err := os.MkdirTemp(cache, "install-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		for name, data := range files {
			if err := os.WriteFile(filepath.Join(tmp, name), data, 0o644); err != nil {
				return err
			}
		}
		if err := runIn(tmp, command[0], command[1:]...); err != nil {
			return err
		}
		if err := os.Rename(tmp, installed); err != nil && !exists(installed) { // another process may have installed it first
			return err
		}
	}
	return os.Symlink(filepath.Join(installed, into), filepath.Join(dir, into))
}
