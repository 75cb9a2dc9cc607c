//go:build unix

package cli

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack"
)

// shortLived signs in to a stack whose tokens have this lifetime, and returns an environment
// in which zen uses it.
func shortLived(t *testing.T, life time.Duration) []string {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	stack, err := devstack.Start(devstack.Options{TokenLifetime: life})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stack.Close() })
	environ := inStack(t, stack, t.TempDir(), append(os.Environ(), "CI=", "BROWSER=zen dev browse --user alice", "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH")))
	login := exec.Command(filepath.Join(bin, "zen"), "login", "--provider", "clerk")
	login.Env = environ
	if out, err := login.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return environ
}

// watched starts zen exec with these arguments, and returns the command, its output lines and
// its standard error.
func watched(t *testing.T, environ []string, args ...string) (*exec.Cmd, *bufio.Scanner, *liveOutput) {
	t.Helper()
	bin, _ := binaries()
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "zen"), append([]string{"exec"}, args...)...)
	cmd.Env = environ
	cmd.WaitDelay = time.Minute
	stderr := new(liveOutput)
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("standard error: %s", stderr.String())
		}
	})
	return cmd, bufio.NewScanner(out), stderr
}

func nextLine(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	if !lines.Scan() {
		t.Fatalf("no further line: %v", lines.Err())
	}
	return lines.Text()
}

func wantExit(t *testing.T, cmd *exec.Cmd, want int) {
	t.Helper()
	err := cmd.Wait()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		t.Errorf("exit code %d, want %d", got, want)
	}
}

func TestWatchRestarts(t *testing.T) {
	t.Parallel()
	environ := shortLived(t, 2*time.Second)
	cmd, lines, _ := watched(t, environ, "--watch", "restart", "--", "sh", "-c", `echo "$$ $TURSO_AUTH_TOKEN"; exec sleep 60`)
	seen := map[string]bool{}
	pid := 0
	for range 3 {
		var token string
		if _, err := fmt.Sscan(nextLine(t, lines), &pid, &token); err != nil || seen[token] {
			t.Errorf("the command started without a new token: %v", err)
		}
		seen[token] = true
	}
	// zen forwards its signals to the command, and exits with the command's exit code.
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	wantExit(t, cmd, 128+15)
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the command still runs: %v", err)
	}
}

// A signal notifies the command, which reads the token from a file. Only the owner can read
// the file; it is complete at any time, and removed with the command.
func TestWatchSignals(t *testing.T) {
	t.Parallel()
	environ := shortLived(t, 5*time.Second) // long enough for the shell to set its trap
	file, enough := filepath.Join(t.TempDir(), "token"), filepath.Join(t.TempDir(), "enough")
	cmd, lines, _ := watched(t, environ, "--watch", "usr1", "--token-file", file, "--", "sh", "-c", `
		trap 'cat "$TURSO_AUTH_TOKEN_FILE"' USR1
		cat "$TURSO_AUTH_TOKEN_FILE"
		while ! [ -e `+enough+` ]; do sleep 0.05; done
		exit 9`)
	for seen := map[string]bool{}; len(seen) < 3; {
		token := nextLine(t, lines) // a late shell reads the next token twice
		if !strings.HasPrefix(token, "eyJ") {
			t.Errorf("%.10q… isn't a token", token)
		}
		seen[token] = true
		if info, err := os.Stat(file); err == nil && info.Mode() != 0o600 {
			t.Errorf("the token file has mode %v, want 0600", info.Mode())
		}
	}
	if err := os.WriteFile(enough, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // a later token
	}
	wantExit(t, cmd, 9)
	if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 0 {
		t.Errorf("%d files are left behind: %v", len(entries), err)
	}
}

// The command keeps running while no token can be issued. When the command exits, zen exits
// with its exit code.
func TestWatchOutlivesTheIssuer(t *testing.T) {
	t.Parallel()
	environ := shortLived(t, 6*time.Second)
	enough := filepath.Join(t.TempDir(), "enough")
	cmd, lines, stderr := watched(t, environ, "--watch", "restart", "--", "sh", "-c", "echo up; while ! [ -e "+enough+" ]; do sleep 0.05; done; exit 5")
	if got := nextLine(t, lines); got != "up" {
		t.Fatalf("the first line is %q, want up", got)
	}
	bin, _ := binaries()
	logout := exec.Command(filepath.Join(bin, "zen"), "logout")
	logout.Env = environ
	if out, err := logout.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const note = "not signed in with clerk; sh goes on with the one it has"
	stderr.await(t, 0, note)
	if err := os.WriteFile(enough, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wantExit(t, cmd, 5)
	if got := strings.Count(stderr.String(), "zen: "); got != 1 {
		t.Errorf("%d notices, want 1:\n%s", got, stderr.String())
	}
}

// A command that fails right after a restart is started again.
func TestWatchRestartsAfterAFailedStart(t *testing.T) {
	t.Parallel()
	environ := shortLived(t, 4*time.Second)
	once := filepath.Join(t.TempDir(), "once")
	cmd, lines, _ := watched(t, environ, "--watch", "restart", "--", "sh", "-c", `
		n=$(cat `+once+` 2>/dev/null || echo 0); echo $((n+1)) >`+once+`; echo "start $n"
		[ "$n" -eq 1 ] && exit 3
		exec sleep 60`)
	for i := range 3 {
		if got, want := nextLine(t, lines), fmt.Sprintf("start %d", i); got != want {
			t.Fatalf("line %q, want %q", got, want)
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	wantExit(t, cmd, 128+2)
}

// A zen that is ended while it restarts the command doesn't start another one.
func TestWatchEndsDuringARestart(t *testing.T) {
	t.Parallel()
	environ := shortLived(t, 5*time.Second) // long enough for the shell to set its trap
	told := filepath.Join(t.TempDir(), "told")
	// The command ends some time after zen was told to end.
	cmd, lines, _ := watched(t, environ, "--watch", "restart", "--", "sh", "-c", `
		sleep 300 >/dev/null 2>&1 & # a shell that starts programs all the time can lose a signal
		trap 'kill $!; echo stopping; while ! [ -e `+told+` ]; do sleep 0.05; done; sleep 1; exit 4' TERM
		echo start; wait`)
	for _, want := range []string{"start", "stopping"} {
		if got := nextLine(t, lines); got != want {
			t.Fatalf("line %q, want %q", got, want)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(told, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		if lines.Text() == "start" {
			t.Error("the command was started again")
		}
	}
	wantExit(t, cmd, 4)
}
