package live

import (
	"bufio"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// run starts a run in a separate process, and calls strike at its nth request. It returns the
// exit code and the output.
func (s *stack) run(t *testing.T, journal string, n int, strike func(*os.Process) error) (code int, printed string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = []string{asChild + "=1", "HOME=" + filepath.Dir(journal), "ZEN_LIVE_TRANSCRIPT=" + journal + ".md"}
	for name, value := range s.environment(journal) {
		if name != "ZEN_LIVE_PERSON" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	return runProcess(t, cmd, n, strike)
}

func runProcess(t *testing.T, cmd *exec.Cmd, n int, strike func(*os.Process) error) (code int, printed string) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for r := bufio.NewReader(out); ; {
		c, err := r.ReadByte()
		if err != nil {
			break
		}
		b.WriteByte(c)
		if c == '.' {
			if n--; n == 0 && strike(cmd.Process) != nil {
				t.Error("the process can't be killed or interrupted")
			}
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), b.String()
}

// TestKilled kills runs at ten random requests. Each run finds what the one before left
// behind, and a last one runs to its end.
func TestKilled(t *testing.T) {
	s := startStack(t)
	journal := filepath.Join(t.TempDir(), "journal")
	for i := range 10 {
		n := 1 + rand.IntN(180)
		if i == 9 {
			n = 100 + n/2 // late enough to leave something behind
		}
		if code, printed := s.run(t, journal, n, (*os.Process).Kill); code != -1 && runtime.GOOS != "windows" {
			t.Errorf("killed at request %d, the run ended with exit code %d: %s", n, code, printed)
		}
	}
	if _, err := os.Stat(journal); err != nil || len(s.Turso.Databases("acme")) < 2 {
		t.Errorf("the killed run left nothing behind: %v", err)
	}
	if code, printed := s.run(t, journal, 0, nil); code != 0 {
		t.Errorf("the next run ended with exit code %d: %s", code, printed)
	}
	s.isEmpty(t)
	for _, path := range []string{journal, journal + ".files"} {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s was left behind", path)
		}
	}
}

// TestInterrupted interrupts runs with Ctrl-C, each of which has to clean up by itself.
func TestInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: a process can't be sent Ctrl-C on Windows")
	}
	s := startStack(t)
	journal := filepath.Join(t.TempDir(), "journal")
	for range 2 {
		n := 1 + rand.IntN(150)
		if code, printed := s.run(t, journal, n, func(p *os.Process) error { return p.Signal(os.Interrupt) }); code != 130 {
			t.Errorf("interrupted at request %d, the run ended with exit code %d: %s", n, code, printed)
		}
		s.isEmpty(t)
		if info, err := os.Stat(journal + ".md"); err != nil || info.Mode() != 0o600 {
			t.Errorf("the transcript file: %v, %v", info, err)
		}
	}
}

// TestNoCredentials runs without any credentials: this is no failure, and the output names
// everything that is missing.
func TestNoCredentials(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = []string{asChild + "=1", "HOME=" + dir, "ZEN_LIVE_JOURNAL=" + filepath.Join(dir, "journal"), "ZEN_LIVE_TRANSCRIPT=" + filepath.Join(dir, "transcript.md")}
	code, printed := runProcess(t, cmd, 0, nil)
	if code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	for _, q := range questions {
		for _, need := range q.needs {
			if need != "replica" && need != "keyring" && !strings.Contains(printed, "SKIPPED "+q.id+" ") {
				t.Errorf("%s isn't shown as skipped", q.id)
			}
		}
	}
	for _, v := range variables {
		if v.need != "" && !strings.Contains(printed, "set "+v.names[0]+" to "+v.how) {
			t.Errorf("%s isn't named", v.names[0])
		}
	}
}
