//go:build !windows

package cli

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack/bao"
	"github.com/zen-auth/zen/internal/cli/app"
)

// zen dev --team reports that OpenBao is missing and where to get it, and leaves no files
// behind.
func TestDevTeamNeedsOpenBao(t *testing.T) {
	t.Parallel()
	zen := shipped(t)
	cmd, temporary := zen.command(t, "dev", "--team", "--", "true")
	cmd.Env = append(cmd.Env, bao.Variable+"=/nowhere/bao")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	err := cmd.Run()
	var exited *exec.ExitError
	if !errors.As(err, &exited) || exited.ExitCode() != app.ExitUsage || !strings.Contains(errs.String(), "bao, OpenBao's server, was not found") || !strings.Contains(errs.String(), "openbao.org/downloads") {
		t.Errorf("zen dev --team without OpenBao: %v: %s", err, errs.String())
	}
	checkEmpty(t, temporary)
}
