package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

func TestACallWithoutSideEffectIsRepeatedOnce(t *testing.T) {
	client := open(t, manage(t, Options{}, "good"), "good")
	fuse := put(t, 0o600, t.TempDir(), "fuse")
	if got := ask(t, client, "exit-once "+fuse).Subject; got != "again" {
		t.Errorf("Verify after a crash = %q, want a second call", got)
	}
	// A refresh may have replaced the credential: it is not repeated.
	put(t, 0o600, fuse)
	_, err := client.Refresh(t.Context(), provider.Credential{Data: provider.NewSecret("exit-once " + fuse)})
	var crash *CrashError
	if !errors.As(err, &crash) || crash.Call != "Refresh" {
		t.Errorf("refresh: %v", err)
	}
}

func TestConcurrentCallsShareTheNewProcess(t *testing.T) {
	client := open(t, manage(t, Options{}, "good"), "good")
	if err := client.Login(t.Context(), provider.LoginRequest{}, &patient{pin: "crash"}); err == nil {
		t.Fatal("no crash")
	}
	pids := make([]string, 8)
	var group sync.WaitGroup
	for i := range pids {
		group.Go(func() {
			claims, err := client.Verify(t.Context(), pidCommand)
			if err != nil {
				t.Error(err)
			}
			pids[i] = claims.Subject
		})
	}
	group.Wait()
	for _, pid := range pids {
		if pid != pids[0] {
			t.Errorf("processes %v", pids)
			break
		}
	}
}

func TestAnIdleProcessEndsAndComesBack(t *testing.T) {
	onLinux(t)
	m := manage(t, Options{}, "good")
	m.limits.idle = 150 * time.Millisecond
	client := open(t, m, "good")
	// A call that lasts longer keeps the process running.
	busy, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	pid := ask(t, client, "pid").Subject
	if _, err := client.Verify(busy, provider.NewSecret("wait")); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a long call: %v", err)
	}
	waitGone(t, pid)
	if again := ask(t, client, "pid").Subject; again == pid {
		t.Error("the idle process was not ended")
	}
}

// A panic's trace contains values that the provider worked with, so it goes to a private
// file, whether the process ends or recovers.
func TestPitfall14TheTraceOfAPanicIsInAPrivateFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crashes")
	client := open(t, manage(t, Options{TraceDir: dir}, "good"), "good")
	for command, want := range map[string]string{
		"crash Bearer " + planted: "panic: the credential is",
		"panic Bearer " + planted: "panic: a value that is not shown",
		"divide":                  "panic: runtime error: integer",
	} {
		err := verify(t, client, command)
		var crash *CrashError
		if !errors.As(err, &crash) || crash.Trace != filepath.Join(dir, "good.txt") || !strings.Contains(err.Error(), "trace in "+dir) {
			t.Fatalf("%s: %v, want CrashError with a trace", command, err)
		}
		info, err := os.Stat(crash.Trace)
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: the trace has mode %v, %v", command, info.Mode(), err)
		}
		trace, err := os.ReadFile(crash.Trace)
		if err != nil || !strings.Contains(string(trace), want) || !strings.Contains(string(trace), "main_test.go") {
			t.Errorf("%s: wrong trace: %v: %.500s", command, err, trace)
		}
		if strings.Contains(string(trace), planted) {
			t.Errorf("%s: the trace contains a secret: %.500s", command, trace)
		}
	}
	var crash *CrashError
	if err := verify(t, client, "exit"); !errors.As(err, &crash) || crash.Trace != "" {
		t.Errorf("an exit without a panic: %v", err)
	}
}
