//go:build linux || darwin

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// documented are the commands of the first block below a heading of docs/install.md.
func documented(t *testing.T, heading string) []string {
	t.Helper()
	page, err := os.ReadFile("docs/install.md")
	if err != nil {
		t.Fatal(err)
	}
	_, below, _ := strings.Cut(string(page), "\n"+heading+"\n")
	var commands []string
	for line := range strings.Lines(below) {
		command, indented := strings.CutPrefix(line, "    ")
		switch {
		case indented:
			commands = append(commands, strings.TrimSpace(command))
		case len(commands) > 0:
			return commands
		}
	}
	t.Fatalf("docs/install.md has no block below %s", heading)
	return nil
}

// TestSign signs sums with a key of its own, as make sign does, and verifies them and a
// file with the commands of docs/install.md.
func TestSign(t *testing.T) {
	if os.Getenv("ZEN_TEST_PACKAGES") == "" {
		t.Skip("NOT TESTED: it builds cosign, which takes minutes: make test-packages does")
	}
	t.Chdir("../..")
	script, err := os.ReadFile("scripts/sign.sh")
	if err != nil {
		t.Fatal(err)
	}
	cosign := regexp.MustCompile(`github\.com/sigstore/\S+@v[0-9.]+`).Find(script)
	bin := t.TempDir()
	install := exec.Command("go", "install", string(cosign))
	install.Env = append(os.Environ(), "GOFLAGS=", "GOBIN="+bin)
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	dir := t.TempDir()
	sh := func(in, command string, env ...string) (string, error) {
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir = in
		cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "COSIGN_PASSWORD=planted")
		cmd.Env = append(cmd.Env, env...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, key := range []string{"cosign", "another"} {
		if out, err := sh(dir, "cosign generate-key-pair --output-key-prefix "+key); err != nil {
			t.Fatalf("%v %s", err, out)
		}
	}
	archive := filepath.Join(dir, "zen-v0.1.0-linux-amd64.tar.gz")
	if err := errors.Join(os.WriteFile(archive, []byte("an archive"), 0o644), writeSums(dir, "v0.1.0")); err != nil {
		t.Fatal(err)
	}

	sign := "scripts/sign.sh " + dir + "/cosign.key " + dir
	if out, err := sh(".", sign, "COSIGN_PASSWORD=wrong"); err == nil {
		t.Errorf("with the wrong password: %s", out)
	}
	if _, err := os.Stat(filepath.Join(dir, "SHA256SUMS.sigstore.json")); err == nil {
		t.Error("a signature without the key")
	}
	if out, err := sh(".", sign); err != nil || strings.Contains(out, "planted") {
		t.Fatalf("%v %s", err, out)
	}
	commands := documented(t, "## Signatures")
	if len(commands) != 2 || !strings.HasPrefix(commands[0], "cosign verify-blob ") || !strings.HasPrefix(commands[1], "sha256sum --check ") {
		t.Fatalf("%q", commands)
	}
	verify := strings.Join(commands, " && ")
	if out, err := sh(dir, verify); err != nil || !strings.Contains(out, "Verified OK") {
		t.Fatalf("as it was signed: %v %s", err, out)
	}
	if out, err := sh(dir, strings.Replace(verify, "cosign.pub", "another.pub", 1)); err == nil {
		t.Errorf("by another key: %s", out)
	}
	for _, name := range []string{"SHA256SUMS", "SHA256SUMS.sigstore.json", filepath.Base(archive)} {
		path := filepath.Join(dir, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := append([]byte{}, whole...)
		at := strings.LastIndex(string(whole), `"signature":"`) + len(`"signature":"`) + 20 // anywhere in the others
		changed[at%len(changed)] ^= 1
		if err := os.WriteFile(path, changed, 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := sh(dir, verify); err == nil {
			t.Errorf("a byte of %s changed: %s", name, out)
		}
		if err := os.WriteFile(path, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for command, says := range map[string]string{
		"scripts/sign.sh": "sign: no key: make sign",
		sign + "/none":    "sign: there is no",
		"scripts/sign.sh " + dir + "/none.key " + dir: "sign: no key: make sign",
	} {
		if out, err := sh(".", command); err == nil || !strings.HasPrefix(out, says) || strings.Count(out, "\n") != 1 {
			t.Errorf("%s: %v %s", command, err, out)
		}
	}
}
