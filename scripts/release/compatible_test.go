//go:build linux || darwin

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCompatible tags a clone, and then takes things away from those who build on it.
func TestCompatible(t *testing.T) {
	if os.Getenv("ZEN_TEST_PACKAGES") == "" {
		t.Skip("NOT TESTED: it type-checks all of zen eight times: make test-packages does")
	}
	clone := filepath.Join(t.TempDir(), "zen")
	sh := func(command string) (string, error) {
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir = clone
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := exec.Command("git", "clone", "--quiet", "--no-tags", "../..", clone).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	for _, step := range []struct {
		command, says string
		fails         bool
	}{
		{"true", "there is no tag yet", false},
		{`printf 'package provider\n\nfunc Told() {}\n' >core/provider/told.go && sed -i.bak 's/^## Unreleased.*/## v0.1.0/' CHANGELOG.md && git add . && git commit -qm first && git tag v0.1.0`, "compatible with v0.1.0", false},
		{`printf 'package provider\n\nfunc Told(...int) {}\n' >core/provider/told.go`, "./core/provider.Told: changed", true},
		{`sed -i.bak 's/^## v0.1.0/## Unreleased\n\n**Breaking**: Told.\n\n&/' CHANGELOG.md`, "as CHANGELOG.md says", false},
		{`f=$(ls proto/zen/provider/v1/*.proto | head -1) && sed -i.bak 's/ = \([0-9]*\);/ = 9\1;/' $f`, "the protocol of v0.1.0 is broken", true},
	} {
		if out, err := sh(step.command); err != nil {
			t.Fatalf("%s: %v %s", step.command, err, out)
		}
		if out, err := sh("scripts/compatible.sh"); (err != nil) != step.fails || !strings.Contains(out, step.says) {
			t.Fatalf("after %s: %v\n%s", step.command, err, out)
		}
	}
}
