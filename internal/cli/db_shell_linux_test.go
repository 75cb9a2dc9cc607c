package cli

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/zen-auth/zen/internal/cli/app"
)

// terminal is a user's terminal: the screen and the keyboard.
type terminal struct {
	t     *testing.T
	keys  *os.File
	shown liveOutput
	seen  int // the offset in shown up to which sees has searched
}

// startTerminal starts a program in a terminal of its own.
func startTerminal(t *testing.T, cmd *exec.Cmd) *terminal {
	t.Helper()
	return startTerminalOf(t, 120, cmd)
}

// startTerminalOf starts a program in a terminal with the given number of columns.
func startTerminalOf(t *testing.T, columns uint16, cmd *exec.Cmd) *terminal {
	t.Helper()
	person, program := openTerminal(t)
	err := unix.IoctlSetWinsize(int(person.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns})
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, program
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	program.Close()
	term := &terminal{t: t, keys: person}
	var reading sync.WaitGroup
	reading.Go(func() { _, _ = io.Copy(&term.shown, person) }) // until the program's end is closed
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		reading.Wait()
	})
	return term
}

// sees waits until a text is shown after the last text that was waited for.
func (term *terminal) sees(text string) {
	term.t.Helper()
	term.seen = term.shown.await(term.t, term.seen, text)
}

func (term *terminal) types(keys string) {
	term.t.Helper()
	if _, err := term.keys.WriteString(keys); err != nil {
		term.t.Fatal(err)
	}
}

func TestShellAtATerminal(t *testing.T) {
	t.Parallel()
	zen, stack := signedIn(t)
	shell := zen("db", "shell")
	history := filepath.Join(stateOf(shell.Env), "shell_history")
	term := startTerminal(t, shell)

	term.sees(".help for help")
	term.sees("app> ")
	term.types("CREATE TABLE t (a INTEGER PRIMARY KEY,\r")
	term.sees("...> ")
	term.types("b TEXT);\r")
	term.sees("done")
	term.sees("app> ")

	// Ctrl-C discards the input line.
	term.types("SELECT nonsense\r")
	term.sees("...> ")
	term.types("FROM")
	term.sees("FROM") // the editor has the terminal now; before, Ctrl-C would be a signal
	term.types("\x03")
	term.sees("app> ")
	term.types("SELECT 40 + 2;\r")
	term.sees("42")
	term.sees("app> ")

	// An error shows its position, and the shell continues.
	term.types("SELECT foo FROM t;\r")
	term.sees("no such column: foo")
	term.sees("1 | SELECT foo FROM t")
	term.sees("       ^")
	term.sees("app> ")

	// Ctrl-C cancels the running statement in the shell and at the server.
	term.types("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c;\r")
	term.sees("waiting for the database")
	term.types("\x03")
	term.sees("zen: interrupted")
	term.sees("app> ")

	// The prompt shows an open transaction and its end.
	term.types("BEGIN;\r")
	term.sees("app*> ")
	term.types("INSERT INTO t (b) VALUES ('one');\r")
	term.sees("1 row affected")
	term.sees("app*> ")
	if err := stack.Faults.Switch("stream-expired", true); err != nil {
		t.Fatal(err)
	}
	term.types("SELECT * FROM t;\r")
	term.sees("stream expired, transaction rolled back")
	term.sees("the transaction is lost, and rolled back")
	if err := stack.Faults.Switch("stream-expired", false); err != nil {
		t.Fatal(err)
	}
	term.sees("app> ")
	term.types("SELECT count(*) AS n FROM t;\r")
	term.sees("n\r\n0\r\n")

	// The up arrow brings the last statement back.
	term.types("\x1b[A")
	term.sees("SELECT count(*) AS n FROM t;")
	term.types("\r")
	term.sees("1 row")
	term.sees("app> ")

	// Neither of these goes into the history.
	term.types(" SELECT 'blank';\r")
	term.sees("1 row")
	term.types("SELECT 'eyJhbGciOiJSUzI1NiJ9';\r")
	term.sees("1 row")
	term.sees("app> ")
	term.types("\x04")
	if err := shell.Wait(); err != nil {
		t.Errorf("zen db shell: %v", err)
	}
	kept, err := os.ReadFile(history)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(history)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the history file has mode %v, %v", info.Mode(), err)
	}
	if text := string(kept); !strings.Contains(text, "SELECT 40 + 2;\n") || !strings.Contains(text, "b TEXT);\n") ||
		strings.Contains(text, "blank") || strings.Contains(text, "eyJ") || strings.Contains(text, "nonsense") {
		t.Errorf("history:\n%s", text)
	}

	// The next shell has the history. SIGTERM ends it.
	shell = zen("db", "shell")
	term = startTerminal(t, shell)
	term.sees("app> ")
	term.types("\x1b[A")
	term.sees("SELECT count(*) AS n FROM t;")
	if err := shell.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = shell.Wait()
	if code := shell.ProcessState.ExitCode(); code != app.ExitInterrupted {
		t.Errorf("exit code %d after SIGTERM", code)
	}
}
