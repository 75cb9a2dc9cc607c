// Package programs builds what tests start as processes: zen, zen-full, zen without its
// providers' sums, and the providers, as they ship. Each is built once for all packages
// of a run, and for the next run where nothing has changed.
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

// Exe is the ending of a program's name on this system.
var Exe = map[bool]string{true: ".exe"}[runtime.GOOS == "windows"]

// bundled are the providers whose sums zen-full knows: those of the Makefile.
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

// tags are those of every build of zen.
const tags = "urfave_cli_no_docs"

// Install puts the programs into dir: copies, so that nothing that happens to them
// there, nor a later build, reaches another process's. With race, they are built with
// the race detector.
//
// The go command decides whether something has changed: it leaves a program alone that
// it has built from the same sources with the same flags.
func Install(dir string, race bool) error {
	stage, err := stageDir(race)
	if err != nil {
		return err
	}
	lock := flock.New(filepath.Join(stage, "lock"))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock the programs under test: %w", err)
	}
	defer lock.Unlock()
	names, err := build(stage, race)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := copyFile(filepath.Join(stage, name), filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("copy a program under test: %w", err)
		}
	}
	return nil
}

// Sums are the SHA-256 of the bundled providers in dir.
func Sums(dir string) (map[string]string, error) {
	names, err := bundled()
	if err != nil {
		return nil, err
	}
	sums := make(map[string]string)
	for _, name := range names {
		sum, err := sum(filepath.Join(dir, provider(name)))
		if err != nil {
			return nil, err
		}
		sums[name] = sum
	}
	return sums, nil
}

func provider(name string) string { return "zen-provider-" + name + Exe }

// stageDir is where this checkout's programs are built: two checkouts may be tested at
// the same time.
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

// root is the directory of the module.
func root() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

// build has the go command bring the programs in dir up to date, and returns their
// names.
func build(dir string, race bool) (names []string, err error) {
	root, err := root()
	if err != nil {
		return nil, err
	}
	run := func(name, pkg string, flags ...string) error {
		args := append([]string{"build", "-o", filepath.Join(dir, name)}, flags...)
		if race {
			args = append(args, "-race")
		}
		args = append(args, pkg)
		cmd := exec.Command("go", args...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build the programs under test: go %s: %w\n%s", strings.Join(args, " "), err, out)
		}
		names = append(names, name)
		return nil
	}
	plugins, err := os.ReadDir(filepath.Join(root, "plugins"))
	if err != nil {
		return nil, err
	}
	for _, p := range plugins {
		if err := run(provider(p.Name()), "./plugins/"+p.Name(), "-tags", tags); err != nil {
			return nil, err
		}
	}
	sums, err := Sums(dir)
	if err != nil {
		return nil, err
	}
	var known []string
	for name, sum := range sums {
		known = append(known, name+"="+sum)
	}
	slices.Sort(known) // the same line, the same program
	err = errors.Join(
		run("zen"+Exe, "./cmd/zen", "-tags", tags+",front"),
		run("zen-full"+Exe, "./cmd/zen", "-tags", tags, "-ldflags", "-X github.com/zen-auth/zen/internal/cli/client.bundled="+strings.Join(known, ",")),
		run("zen-unpinned"+Exe, "./cmd/zen", "-tags", tags),
	)
	return names, err
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
