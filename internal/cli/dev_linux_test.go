package cli

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a pseudo-terminal (pty(7)): the user's and the program's.
func openTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("SKIPPED: no pseudo-terminals: %v", err)
	}
	t.Cleanup(func() { person.Close() })
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return person, program
}

// A shell in zen dev survives Ctrl-C, as it does outside.
func TestDevCtrlCAtATerminal(t *testing.T) {
	t.Parallel()
	person, program := openTerminal(t)
	enough := filepath.Join(t.TempDir(), "enough")
	cmd, temporary := shipped(t).command(t, "dev", "--", "sh", "-c",
		`trap "echo interrupted" INT; echo up; while ! [ -e `+enough+` ]; do sleep 0.05; done; echo bye`)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, program
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	program.Close()
	lines := bufio.NewScanner(person)
	read := func(want string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), want) {
				return
			}
		}
		t.Fatalf("the output ended without %q: %v", want, lines.Err())
	}
	read("up")
	for range 2 {
		if _, err := person.Write([]byte{3}); err != nil {
			t.Fatal(err)
		}
		read("interrupted")
	}
	if err := os.WriteFile(enough, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	read("bye")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	checkEmpty(t, temporary)
}
