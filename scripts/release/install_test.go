//go:build linux || darwin

package main

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/internal/programs"
)

// place is where archives are, and a prefix that they are installed below.
type place struct {
	t              *testing.T
	dir, url, home string
}

// newPlace is one for a test that runs where the checkout is from then on.
func newPlace(t *testing.T) place {
	t.Chdir(filepath.Join("..", ".."))
	dir := t.TempDir()
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	return place{t, dir, server.URL, t.TempDir()}
}

// archive packs bin as a version, with its sum.
func (p place) archive(version, bin string) {
	p.t.Helper()
	r := release{made: time.Unix(1, 0)}
	files, err := r.files(bin, map[string]string{"zen.1": "", "zen-" + version + ".1": ""})
	if err != nil {
		p.t.Fatal(err)
	}
	name := "zen-" + version + "-" + runtime.GOOS + "-" + runtime.GOARCH
	var packed bytes.Buffer
	if err := writeTar(&packed, name, files, r.made); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, name+".tar.gz"), packed.Bytes(), 0o644); err != nil {
		p.t.Fatal(err)
	}
	r.out, r.downloads = p.dir, p.url
	if err := r.writeInstaller(version); err != nil {
		p.t.Fatal(err)
	}
	if err := writeSums(p.dir, version); err != nil {
		p.t.Fatal(err)
	}
}

func (p place) install(args ...string) (string, error) { return p.run("install.sh", p.url, args...) }

// run runs an install.sh.
func (p place) run(script, url string, args ...string) (string, error) {
	cmd := exec.Command("sh", append([]string{script}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+p.home, "ZEN_BASE_URL="+url, "ZEN_STATE_DIR="+p.home+"/state")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// left are the files below the prefix.
func (p place) left() (names []string) {
	_ = filepath.WalkDir(p.home, func(path string, d fs.DirEntry, err error) error {
		if err == nil && path != p.home {
			names = append(names, strings.TrimPrefix(path, p.home))
		}
		return err
	})
	return names
}

// built are the programs of an archive, in a directory.
func built(t *testing.T, race bool) string {
	t.Helper()
	bin := t.TempDir()
	if err := programs.Install(bin, race); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(bin, "zen-unpinned")); err != nil {
		t.Fatal(err)
	}
	return bin
}

// TestInstall goes the way of somebody who installs, upgrades and removes zen, and of
// somebody who is given something else on the way.
func TestInstall(t *testing.T) {
	if testing.Short() {
		t.Skip("packs and unpacks 150 MB of programs: make test-all does")
	}
	bin := built(t, false)
	p := newPlace(t)
	p.archive("v0.1.0", bin)

	// A byte more on the way: refused before anything is unpacked.
	archive := filepath.Join(p.dir, "zen-v0.1.0-"+runtime.GOOS+"-"+runtime.GOARCH+".tar.gz")
	whole, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(archive, append(bytes.Clone(whole), 0), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := p.install("--version", "v0.1.0"); err == nil || !strings.Contains(out, "is not what SHA256SUMS says") || len(p.left()) > 0 {
		t.Fatalf("%v %s, left %q", err, out, p.left())
	}
	if err := os.WriteFile(archive, whole, 0o644); err != nil {
		t.Fatal(err)
	}

	if out, err := p.install("--version", "v0.1.0"); err != nil || !strings.Contains(out, "/bin/zen") {
		t.Fatalf("%v %s", err, out)
	}
	zen := filepath.Join(p.home, ".local", "bin", "zen")
	for _, args := range [][]string{{"version", "--verify"}, {"provider", "info", "clerk"}, {"completion", "bash"}} {
		cmd := exec.Command(zen, args...)
		cmd.Env = append(os.Environ(), "HOME="+p.home, "ZEN_STATE_DIR="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir(), "ZEN_CONFIG=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("zen %q: %v %s", args, err, out)
		}
	}
	if _, err := os.Stat(filepath.Join(p.home, ".local/share/bash-completion/completions/zen")); err != nil {
		t.Error(err)
	}

	// An archive whose sum is right and whose provider isn't: the zen that is there stays.
	changed, err := os.OpenFile(filepath.Join(bin, "zen-provider-clerk"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := changed.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	changed.Close()
	p.archive("v0.2.0", bin)
	if out, err := p.install("--version", "v0.2.0"); err == nil || !strings.Contains(out, "clerk (changed)") {
		t.Errorf("%v %s", err, out)
	}
	if to, _ := os.Readlink(zen); to != "../lib/zen/v0.1.0/zen" {
		t.Errorf("zen is %q", to)
	}

	// Upgrades: the version before stays, the one before that goes.
	// (What is in these two is no matter, so it is small.)
	fresh := t.TempDir()
	if err := os.WriteFile(filepath.Join(fresh, "zen"), []byte("#!/bin/sh\necho zen\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"v0.3.0", "v0.4.0"} {
		p.archive(version, fresh)
		// A release's own script knows where it is from, and which it is.
		if out, err := p.run(filepath.Join(p.dir, "install.sh"), ""); err != nil {
			t.Fatalf("%v %s", err, out)
		}
	}
	// The manual is that of the version that is used.
	pages, err := filepath.Glob(filepath.Join(p.home, ".local/share/man/man1/*"))
	if err != nil || len(pages) != 2 || filepath.Base(pages[0]) != "zen-v0.4.0.1" || filepath.Base(pages[1]) != "zen.1" {
		t.Errorf("%v %q", err, pages)
	}
	versions, err := filepath.Glob(filepath.Join(p.home, ".local/lib/zen/v*"))
	if err != nil || len(versions) != 2 || filepath.Base(versions[0]) != "v0.3.0" || filepath.Base(versions[1]) != "v0.4.0" {
		t.Errorf("%v %q", err, versions)
	}

	if out, err := p.install("--uninstall"); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	for _, name := range p.left() {
		if name != "/.local" {
			t.Errorf("left: %s", name)
		}
	}
}

// TestInstallLeavesOthersAlone wants a zen that came otherwise to stay.
func TestInstallLeavesOthersAlone(t *testing.T) {
	p := newPlace(t)
	zen := filepath.Join(p.home, ".local", "bin", "zen")
	if err := os.MkdirAll(filepath.Dir(zen), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(zen, []byte("mine"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--version", "v0.1.0"}, {"--uninstall"}, {"--version", "../v1"}, {"--version", "v1", "--base-url", "http://example.com"}, {"--version", "v1", "--base-url", "http://localhost:1@example.com"}, {"--prefix", "here", "--uninstall"}} {
		if out, err := p.install(args...); err == nil {
			t.Errorf("%q: %s", args, out)
		}
	}
	if content, err := os.ReadFile(zen); err != nil || string(content) != "mine" {
		t.Errorf("%q %v", content, err)
	}
	if out, _ := p.install("--version", "v1", "--base-url", "http://localhost:1@example.com"); !strings.Contains(out, "is not https") {
		t.Error(out)
	}
}

// TestInstallLeavesOthersLinksAlone wants what another package manager has made links of,
// whether they lead anywhere or not, to stay as they are.
func TestInstallLeavesOthersLinksAlone(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "zen"), []byte("#!/bin/sh\necho zen\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := newPlace(t)
	p.archive("v1.0.0", bin)
	links := map[string]string{
		".local/share/zsh/site-functions/_zen": "../../../Cellar/zen/_zen",
		".local/share/man/man1/zen.1":          "/opt/other/lib/zen/current/man/zen.1",
	}
	for name, to := range links {
		path := filepath.Join(p.home, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink(to, path)); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"--version", "v1.0.0"}, {"--version", "v1.0.0"}, {"--uninstall"}} {
		if out, err := p.install(args...); err != nil {
			t.Fatalf("%q: %v %s", args, err, out)
		}
		for name, to := range links {
			if got, err := os.Readlink(filepath.Join(p.home, name)); got != to {
				t.Errorf("%q: %s leads to %q (%v)", args, name, got, err)
			}
		}
	}
	if left := p.left(); slices.ContainsFunc(left, func(name string) bool { return strings.Contains(name, "bin") || strings.Contains(name, "lib") }) {
		t.Errorf("left: %q", left)
	}
}
