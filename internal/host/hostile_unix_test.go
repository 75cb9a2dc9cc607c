//go:build unix

package host

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/testwait"
)

// A provider that is stopped or floods its output delays a call until the call's deadline,
// and Close until its own: neither waits for the provider.
func TestHostileProvidersAreGoneInTime(t *testing.T) {
	onLinux(t)
	for name, command := range map[string]string{"stopped": "pid", "flood": "flood", "hang": "hang"} {
		t.Run(name, func(t *testing.T) {
			m := manage(t, Options{Log: io.Discard}, "good")
			m.limits.remote = 300 * time.Millisecond
			client := open(t, m, "good")
			pid := ask(t, client, "pid").Subject
			if name == "stopped" {
				number, err := strconv.Atoi(pid)
				if err != nil || syscall.Kill(number, syscall.SIGSTOP) != nil {
					t.Fatal(err)
				}
				waitStopped(t, pid)
			}
			err := verify(t, client, command)
			var late *TimeoutError
			if !errors.As(err, &late) || !errors.Is(err, provider.ErrUnavailable) {
				t.Errorf("Verify: %v, want TimeoutError", err)
			}
			if err := m.Close(context.Background()); err != nil {
				t.Error(err)
			}
			waitGone(t, pid)
		})
	}
}

// waitStopped waits until every thread of the process has stopped, shortly after the signal.
func waitStopped(t *testing.T, pid string) {
	t.Helper()
	testwait.Until(t, "process "+pid+" is stopped", func() bool {
		states, err := filepath.Glob("/proc/" + pid + "/task/*/stat")
		if err != nil {
			t.Fatal(err)
		}
		running := 0
		for _, path := range states {
			if stat, err := os.ReadFile(path); err == nil && !strings.Contains(string(stat), ") T ") {
				running++
			}
		}
		return running == 0
	})
}
