// Package programs builds the programs that tests start: zen, zen-full, zen without its
// providers' checksums, and the providers, as they ship. Each is built once for all packages
// of a test run, and reused by the next run if nothing has changed.
package programs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/gofrs/flock"
)

// Exe is the extension of a program's name on this system.
var Exe = map[bool]string{true: ".exe"}[runtime.GOOS == "windows"]

// bundled returns the providers whose checksums are built into zen-full: PROVIDERS in the
// Makefile.
func bundled() ([]string, error) {
	root, err := root()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if names, ok := strings.CutPrefix(line, "PROVIDERS :="); ok {
			return strings.Fields(names), nil
		}
	}
	return nil, errors.New("the Makefile names no PROVIDERS")
}

// The build tags of zen and of providers.
const (
	tags         = "urfave_cli_no_docs"
	providerTags = tags + ",grpcnotrace"
)

// prebuilt names a directory with the programs, for tests that run without a go command:
// scripts/test-windows.sh.
const prebuilt = "ZEN_TEST_PROGRAMS"

// Install copies the programs into dir, so that neither changes to them there nor a later
// build affects another process's. With race, they are built with the race detector.
//
// The go command decides what to build: it leaves a program alone that it built from the same
// sources with the same flags.
func Install(dir string, race bool) error {
	if from := os.Getenv(prebuilt); from != "" {
		return os.CopyFS(dir, os.DirFS(from))
	}
	stage, err := stageDir(race)
	if err != nil {
		return err
	}
	lock := flock.New(filepath.Join(stage, "lock"))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock the programs under test: %w", err)
	}
	defer lock.Unlock()
	built, err := build(stage, race)
	if err != nil {
		return err
	}
	for _, p := range built {
		if err := copyFile(filepath.Join(stage, p.from), filepath.Join(dir, p.name)); err != nil {
			return fmt.Errorf("copy a program under test: %w", err)
		}
	}
	return nil
}

// Sums returns the SHA-256 of the bundled providers in dir.
func Sums(dir string) (map[string]string, error) {
	names, err := bundled()
	if err != nil {
		return nil, err
	}
	return sumsOf(names, func(name string) string { return filepath.Join(dir, provider(name)) })
}

func sumsOf(names []string, path func(name string) string) (map[string]string, error) {
	sums := make(map[string]string)
	for _, name := range names {
		sum, err := sum(path(name))
		if err != nil {
			return nil, err
		}
		sums[name] = sum
	}
	return sums, nil
}

func provider(name string) string { return "zen-provider-" + name + Exe }

// stageDir returns the directory of this checkout's programs, since two checkouts may be
// tested at the same time.
func stageDir(race bool) (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	root, err := root()
	if err != nil {
		return "", err
	}
	id := sha256.Sum256(fmt.Appendf(nil, "%s %t", root, race))
	dir := filepath.Join(base, "zen-test", hex.EncodeToString(id[:6]))
	return dir, os.MkdirAll(dir, 0o700)
}

// root returns the module's directory.
func root() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", errors.New("find the module: there is no go.mod above the working directory")
		}
		dir = above
	}
	return "", fmt.Errorf("find the module: %w", err)
}

// program is a built program: its file, relative to the build directory, and its name where
// it is installed.
type program struct{ from, name string }

// build brings the programs in dir up to date with the go command. All providers are built by
// one call, since each call takes a second to load packages. No program contains the
// checkout's version, so they are the same without git.
func build(dir string, race bool) (built []program, err error) {
	root, err := root()
	if err != nil {
		return nil, err
	}
	run := func(to string, args ...string) error {
		args = append([]string{"build", "-buildvcs=false", "-o", dir + "/" + to}, args...)
		if race {
			args = slices.Insert(args, 1, "-race")
		}
		cmd := exec.Command("go", args...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build the programs under test: go %s: %w\n%s", strings.Join(args, " "), err, out)
		}
		return nil
	}
	plugins, err := os.ReadDir(filepath.Join(root, "plugins"))
	if err != nil {
		return nil, err
	}
	args := []string{"-tags", providerTags}
	for _, p := range plugins {
		args = append(args, "./plugins/"+p.Name())
		built = append(built, program{filepath.Join("plugins", p.Name()+Exe), provider(p.Name())})
	}
	if err := run("plugins/", args...); err != nil {
		return nil, err
	}
	names, err := bundled()
	if err != nil {
		return nil, err
	}
	sums, err := sumsOf(names, func(name string) string { return filepath.Join(dir, "plugins", name+Exe) })
	if err != nil {
		return nil, err
	}
	var known []string
	for name, sum := range sums {
		known = append(known, name+"="+sum)
	}
	slices.Sort(known) // a stable order builds the same program
	for name, flags := range map[string][]string{
		"zen":          {"-tags", tags + ",front"},
		"zen-query":    {"-tags", tags + ",query"},
		"zen-full":     {"-tags", tags, "-ldflags", "-X github.com/zen-auth/zen/internal/cli/client.bundled=" + strings.Join(known, ",")},
		"zen-unpinned": {"-tags", tags},
	} {
		if err := run(name+Exe, append(flags, "./cmd/zen")...); err != nil {
			return nil, err
		}
		built = append(built, program{name + Exe, name + Exe})
	}
	return built, nil
}

func sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
