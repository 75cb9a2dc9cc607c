package cli

import (
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/internal/cli/app"
)

// screen is a user's terminal that runs a program.
type screen struct {
	t       *testing.T
	person  *os.File
	program *os.File
	cmd     *exec.Cmd
	text    liveOutput
}

// onTerminal starts zen at a terminal in a session of its own.
func onTerminal(t *testing.T, environ []string, args ...string) *screen {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t}
	s.person, s.program = openTerminal(t)
	s.cmd = exec.CommandContext(t.Context(), filepath.Join(bin, "zen"), args...)
	s.cmd.Env = environ
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = s.program, s.program, s.program
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(&s.text, s.person) }() // until the terminal is closed
	t.Cleanup(func() {
		s.program.Close()
		if t.Failed() {
			t.Logf("the terminal:\n%s", s.shown())
		}
	})
	return s
}

// wait waits until the program ends, and makes a hanging program print its stacks.
func (s *screen) wait() error {
	hung := time.AfterFunc(time.Minute, func() {
		s.t.Error("the program hangs")
		_ = s.cmd.Process.Signal(syscall.SIGQUIT) // it may have just ended
		time.AfterFunc(5*time.Second, func() { _ = s.cmd.Process.Kill() })
	})
	defer hung.Stop()
	return s.cmd.Wait()
}

func (s *screen) shown() string { return s.text.String() }

// await waits for a text, and returns the terminal's output.
func (s *screen) await(text string) string {
	s.t.Helper()
	s.text.await(s.t, 0, text)
	return s.shown()
}

func (s *screen) typed(text string) {
	s.t.Helper()
	if _, err := s.person.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// echoes reports whether the terminal shows what is typed.
func (s *screen) echoes() bool {
	s.t.Helper()
	settings, err := unix.IoctlGetTermios(int(s.program.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return settings.Lflag&unix.ECHO != 0 && settings.Lflag&unix.ICANON != 0
}

var shownURL = regexp.MustCompile(`http://\S+/app/cli\?\S+`)

// signingIn starts zen login at a terminal, and returns the callback's address.
func signingIn(t *testing.T, args ...string) (s *screen, callback string, stack *devstack.Stack) {
	t.Helper()
	stack, err := devstack.Start(devstack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stack.Close() })
	environ := inStack(t, stack, t.TempDir(), []string{"PATH=" + os.Getenv("PATH"), "SSH_TTY=/dev/pts/7", "TERM=xterm"})
	s = onTerminal(t, environ, append([]string{"login", "--provider", "clerk", "--method", "redirect"}, args...)...)
	shown := s.await("Paste that page's whole address here: ")
	page, err := url.Parse(shownURL.FindString(shown))
	if err != nil {
		t.Fatal(err)
	}
	query := page.Query()
	return s, query.Get("redirect_uri") + "?state=" + query.Get("state"), stack
}

// Over SSH, zen opens no browser and says so, and reads the address at which a remote browser
// ended from the terminal.
func TestPasteOverSSH(t *testing.T) {
	t.Parallel()
	s, callback, stack := signingIn(t)
	if shown := s.shown(); !strings.Contains(shown, "This is an SSH session: zen opens no browser here.") {
		t.Errorf("the output doesn't name the SSH session:\n%s", shown)
	}
	token, err := oddToken(stack, "good")
	if err != nil {
		t.Fatal(err)
	}
	// Longer than what a terminal reads as one line.
	s.typed("http://127.0.0.1:1/elsewhere?" + strings.Repeat("x", 6000) + "\r")
	s.await("That was not it: it does not start with http://127.0.0.1:")
	s.typed(strings.Split(callback, "?")[0] + "?state=another\r")
	s.await("That was not it: its state is not the one of this sign-in")
	if s.echoes() {
		t.Error("the terminal echoes the token")
	}
	s.typed(callback + "&token=" + token + "!\x7f\r")
	s.await(`Signed in to profile "default" with clerk`)
	if err := s.wait(); err != nil {
		t.Error(err)
	}
	if strings.Contains(s.shown(), token) {
		t.Error("the token is on the screen")
	}
	if !s.echoes() {
		t.Error("the terminal's echo is still off")
	}
}

// The listener still works during the prompt: if the browser calls back by itself, the prompt
// ends.
func TestBrowserBeforePaste(t *testing.T) {
	t.Parallel()
	s, callback, stack := signingIn(t)
	token, err := oddToken(stack, "good")
	if err != nil {
		t.Fatal(err)
	}
	s.typed("half an addr")
	if err := get(callback+"&token="+token, 0); err != nil {
		t.Fatal(err)
	}
	s.await("Signed in")
	if err := s.wait(); err != nil {
		t.Error(err)
	}
	if !s.echoes() {
		t.Error("the terminal's echo is still off")
	}
}

// Deleting a profile needs confirmation, and only a full "yes" confirms.
func TestDeleteAsks(t *testing.T) {
	t.Parallel()
	environ := shortLived(t, time.Minute)
	for _, answer := range []string{"y", "", "yes"} {
		want := app.ExitOther
		if answer == "yes" {
			want = app.ExitOK
		}
		s := onTerminal(t, environ, "profiles", "delete", "default")
		s.await("Type yes or no: ")
		s.typed(answer + "\r")
		_ = s.wait()
		if got := s.cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%q: exit code %d, want %d", answer, got, want)
		}
	}
}

// Ctrl-C ends the prompt, and restores the terminal.
func TestInterruptedPaste(t *testing.T) {
	t.Parallel()
	s, _, _ := signingIn(t, "--no-browser")
	s.typed("\x03")
	_ = s.wait()
	if code := s.cmd.ProcessState.ExitCode(); code != app.ExitInterrupted {
		t.Errorf("exit code %d, want %d", code, app.ExitInterrupted)
	}
	if !s.echoes() {
		t.Error("the terminal's echo is still off")
	}
}
