//go:build linux || darwin

package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/internal/programs"
)

// place is where archives are, as files, and a prefix that they are installed below.
type place struct {
	t              *testing.T
	dir, url, home string
}

// newPlace is one for a test that runs where the checkout is from then on.
func newPlace(t *testing.T) place {
	t.Chdir(filepath.Join("..", ".."))
	dir := t.TempDir()
	return place{t, dir, "file://" + dir, t.TempDir()}
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

// left returns the files below the prefix.
func (p place) left() (names []string) {
	_ = filepath.WalkDir(p.home, func(path string, d fs.DirEntry, err error) error {
		if err == nil && path != p.home {
			names = append(names, strings.TrimPrefix(path, p.home))
		}
		return err
	})
	return names
}

// built returns the programs of an archive, in a directory.
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

// TestInstallMistakes makes those of somebody who reads the page once, and wants a line
// each that says what would be right.
func TestInstallMistakes(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "zen"), []byte("#!/bin/sh\necho zen\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := newPlace(t)
	p.archive("v1.0.0", bin)
	for _, test := range []struct {
		args []string
		says string
	}{
		{nil, "--version is missing"},
		{[]string{"--version", "1.0.0"}, "has no zen-1.0.0-" + runtime.GOOS + "-" + runtime.GOARCH + ".tar.gz: for this machine it has --version v1.0.0"},
		{[]string{"--version", "v1.0.0", "--base-url", p.dir}, "a directory here is file:///"},
		{[]string{"--version", "v1.0.0", "--base-url", "./dist"}, "a directory here is file:///"},
		{[]string{"--version", "v1.0.0", "--base-url", p.url + "/none"}, "none/SHA256SUMS can't be fetched"},
		{[]string{"--version", "v1.0.0", "--sums", p.dir + "/none"}, "none can't be read"},
		{[]string{"--version"}, "--version needs a value"},
	} {
		out, err := p.install(test.args...)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if err == nil || !strings.Contains(lines[len(lines)-1], test.says) || !strings.HasPrefix(lines[len(lines)-1], "install.sh: ") {
			t.Errorf("%q: %v %s", test.args, err, out)
		}
	}
	if left := p.left(); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	if out, err := p.install("--version", "v1.0.0", "--base-url", p.url+"/"); err != nil {
		t.Errorf("a slash behind the URL: %v %s", err, out)
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

// ofLocalhost is a certificate for localhost, by itself.
func ofLocalhost(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key}
}

// TestInstallStaysWithHTTPS has each program that install.sh fetches with led on, to where
// the same files are, by https and by http.
func TestInstallStaysWithHTTPS(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "zen"), []byte("#!/bin/sh\necho zen\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := newPlace(t)
	p.archive("v1.0.0", bin)
	files := http.FileServer(http.Dir(p.dir))
	var plainly atomic.Int32
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		plainly.Add(1)
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(plain.Close)
	mux := http.NewServeMux()
	mux.Handle("/here/", http.StripPrefix("/here", files))
	mux.Handle("/on/", http.StripPrefix("/on", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://"+r.Host+"/here"+r.URL.Path, http.StatusFound)
	})))
	mux.Handle("/away/", http.StripPrefix("/away", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, plain.URL+r.URL.Path, http.StatusFound)
	})))
	secure := httptest.NewUnstartedServer(mux)
	secure.TLS = &tls.Config{Certificates: []tls.Certificate{ofLocalhost(t)}}
	secure.StartTLS()
	t.Cleanup(secure.Close)
	// By its name: BusyBox has openssl compare the certificate with an address and the port.
	url := strings.Replace(secure.URL, "127.0.0.1", "localhost", 1)
	trust := filepath.Join(t.TempDir(), "ca.pem")
	settings := filepath.Join(t.TempDir(), "wgetrc")
	err := errors.Join(
		os.WriteFile(trust, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o644),
		os.WriteFile(settings, []byte("ca_certificate="+trust+"\n"), 0o644),
	)
	if err != nil {
		t.Fatal(err)
	}
	// link makes programs the only ones on a PATH, some under another name.
	link := func(t *testing.T, programs ...string) string {
		t.Helper()
		path := t.TempDir()
		for _, program := range programs {
			name, program, renamed := strings.Cut(program, "=")
			if !renamed {
				program = name
			}
			found, err := exec.LookPath(program)
			if err != nil {
				t.Skipf("NOT TESTED: %s is missing: scripts/install-test-tools.sh", program)
			}
			if err := os.Symlink(found, filepath.Join(path, name)); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	always := []string{"awk", "cat", "chmod", "cp", "cut", "dirname", "grep", "gzip", "ln", "mkdir", "mktemp", "mv", "readlink", "rm", "rmdir", "sed", "tail", "tar", "tr", "uname"}
	if runtime.GOOS == "linux" {
		always = append(always, "getconf")
	}
	if _, err := exec.LookPath("sha256sum"); err == nil {
		always = append(always, "sha256sum")
	} else {
		always = append(always, "shasum", "perl")
	}
	run := func(path, base string, args ...string) (string, error) {
		cmd := exec.Command("/bin/sh", append([]string{"install.sh", "--version", "v1.0.0", "--base-url", base, "--prefix", p.home}, args...)...)
		cmd.Env = []string{"PATH=" + path, "HOME=" + p.home, "TMPDIR=" + os.TempDir(), "CURL_CA_BUNDLE=" + trust, "SSL_CERT_FILE=" + trust, "WGETRC=" + settings}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for name, more := range map[string][]string{
		"curl": {"curl"},
		"wget": {"wget"},
		// Without openssl it checks no certificate.
		"BusyBox":       {"wget=busybox", "openssl"},
		"BusyBox alone": {"wget=busybox"},
	} {
		t.Run(name, func(t *testing.T) {
			path := link(t, append(more, always...)...)
			for place, refusal := range map[string]string{"here": "", "on": "", "away": "https"} {
				if name == "BusyBox alone" {
					refusal = "checks no certificate"
				}
				plainly.Store(0)
				out, err := run(path, url+"/"+place)
				if refusal == "" {
					if err != nil || !strings.Contains(out, p.home+"/bin/zen") {
						t.Errorf("%s: %v %s", place, err, out)
					}
					if out, err := run(path, "", "--uninstall"); err != nil {
						t.Errorf("%v %s", err, out)
					}
				} else if err == nil || !strings.Contains(out, refusal) {
					t.Errorf("%s: %v %s", place, err, out)
				}
				if left := p.left(); len(left) > 0 {
					t.Errorf("%s: left %q", place, left)
				}
				if name == "curl" && plainly.Load() > 0 {
					t.Errorf("%s: curl asked by http", place)
				}
			}
			if out, err := run(path, url+"/here/none"); err == nil || !strings.Contains(out, "none/SHA256SUMS") && name != "BusyBox alone" {
				t.Errorf("what isn't there: %v %s", err, out)
			}
			if out, err := run(path, "file://"+p.dir); err != nil {
				t.Errorf("file: %v %s", err, out)
			}
			if out, err := run(path, "", "--uninstall"); err != nil {
				t.Errorf("%v %s", err, out)
			}
		})
	}
}
