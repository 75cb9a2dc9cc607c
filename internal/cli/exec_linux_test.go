package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/internal/cli/app"
)

// holders returns the processes that have the text in their environment or arguments.
func holders(t *testing.T, text string) (inEnvironment, inArguments []int) {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, process := range processes {
		pid, _ := strconv.Atoi(filepath.Base(process))
		// A process that has ended or that belongs to root has no readable environment.
		environ, _ := os.ReadFile(process + "/environ")
		if bytes.Contains(environ, []byte(text)) {
			inEnvironment = append(inEnvironment, pid)
		}
		arguments, _ := os.ReadFile(process + "/cmdline")
		if bytes.Contains(arguments, []byte(text)) {
			inArguments = append(inArguments, pid)
		}
	}
	return inEnvironment, inArguments
}

// The token is in the environment of the command and of no other process, and in no process's
// arguments. Without --watch, the command replaces zen in its process.
func TestOnlyTheCommandHasTheExecToken(t *testing.T) {
	t.Parallel()
	environ := shortLived(t, time.Minute)
	for name, args := range map[string][]string{
		"exec":  nil,
		"watch": {"--watch", "restart", "--token-file", filepath.Join(t.TempDir(), "token")},
	} {
		t.Run(name, func(t *testing.T) {
			bin, _ := binaries()
			cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "zen"), append(append([]string{"exec"}, args...), "--", "sh", "-c", `echo "$$ $TURSO_AUTH_TOKEN"; read -r wait; exit 3`)...)
			cmd.Env = environ
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var pid int
			var token string
			if _, err := fmt.Fscan(out, &pid, &token); err != nil || !strings.HasPrefix(token, "eyJ") {
				t.Fatalf("reading the token: %v, %.10q", err, token)
			}
			if staysZen := pid != cmd.Process.Pid; staysZen != (args != nil) {
				t.Errorf("the command is process %d and zen %d", pid, cmd.Process.Pid)
			}
			inEnvironment, inArguments := holders(t, token)
			if len(inEnvironment) != 1 || inEnvironment[0] != pid || len(inArguments) != 0 {
				t.Errorf("the token is in the environment of %v and the arguments of %v, want the environment of %d only", inEnvironment, inArguments, pid)
			}
			if err := in.Close(); err != nil {
				t.Fatal(err)
			}
			wantExit(t, cmd, 3)
		})
	}
}

// At a terminal the command handles Ctrl-C itself, with and without --watch, and reads the
// terminal as it would without zen.
func TestExecAtATerminal(t *testing.T) {
	t.Parallel()
	environ := shortLived(t, time.Minute)
	for name, args := range map[string][]string{"exec": nil, "watch": {"--watch", "restart"}} {
		t.Run(name, func(t *testing.T) {
			s := onTerminal(t, environ, append(append([]string{"exec"}, args...), "--", "sh", "-c",
				`trap 'echo interrupted' INT; test -t 0 && echo up; read -r line; read -r line; echo "read $line"; trap - INT; echo again; sleep 60`)...)
			s.await("up")
			s.typed("\x03")
			s.await("interrupted")
			s.typed("x\rhello\r")
			s.await("read ")
			s.await("again")
			ended := make(chan struct{})
			var typing sync.WaitGroup
			typing.Go(func() { // a shell loses a signal that arrives between its fork and the command's exec
				for again := true; again; {
					s.typed("\x03")
					select {
					case <-ended:
						again = false
					case <-time.After(time.Second):
					}
				}
			})
			err := s.wait()
			close(ended)
			typing.Wait()
			var exited *exec.ExitError
			if !errors.As(err, &exited) || app.ExitStatus(exited.ProcessState) != 130 {
				t.Errorf("the command ended with %v, want an interrupt", err)
			}
		})
	}
}
