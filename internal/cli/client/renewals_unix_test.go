//go:build unix

package client

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cache"
)

// renewing returns a shell that runs script in place of the renewing process. Its file
// descriptor 3 is a pipe that end closes.
func renewing(t *testing.T, script string) (cmd *exec.Cmd, end func()) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Env, cmd.ExtraFiles = os.Environ(), []*os.File{r}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	return cmd, func() { _ = w.Close() }
}

const answer = `read request; echo '{"failed":false}'; cat <&3`

// The answer arrives before the renewing process ends, and wait waits for its end.
func TestRenewalIsAnsweredBeforeItsProcessEnds(t *testing.T) {
	var r renewals
	cmd, end := renewing(t, answer)
	if err := r.renewBy(t.Context(), cmd, cache.Renewal{Profile: "default"}); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.Signal(0)); err != nil {
		t.Error("the process has ended:", err)
	}
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	r.wait(interrupted)
	end()
	r.wait(t.Context())
	if cmd.ProcessState == nil || !cmd.ProcessState.Success() {
		t.Errorf("the process ended with %v", cmd.ProcessState)
	}
}

func TestRenewalWithoutAnAnswer(t *testing.T) {
	for script, want := range map[string]string{
		"cat >/dev/null; exit 3":               "(exit status 3)",
		"cat >/dev/null":                       "(EOF)",
		"cat >/dev/null; echo rubbish":         "invalid character",
		"cat >/dev/null; printf '{\"failed\"'": "(unexpected EOF)",
	} {
		var r renewals
		cmd, _ := renewing(t, script)
		err := r.renewBy(t.Context(), cmd, cache.Renewal{})
		if !errors.Is(err, provider.ErrUnavailable) || !strings.Contains(err.Error(), "ended without an answer") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: renewBy() = %v, want ErrUnavailable with %q", script, err, want)
		}
		r.wait(t.Context())
	}

	var r renewals
	cmd, _ := renewing(t, "cat >/dev/null; "+`echo '{"failed":true,"message":"no","reason":""}'`)
	if err := r.renewBy(t.Context(), cmd, cache.Renewal{}); err == nil || err.Error() != "no" {
		t.Errorf("renewBy() = %v, want the failure of the answer", err)
	}
	r.wait(t.Context())

	// An interrupted caller doesn't end the renewing process.
	cmd, end := renewing(t, "cat <&3")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.renewBy(ctx, cmd, cache.Renewal{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	r.wait(t.Context())
	end()
}
