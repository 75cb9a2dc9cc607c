//go:build !windows

package early

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// mode says which program this process is: the front, the program that it becomes, their
// child, or another child of that program.
const mode = "EARLY_TEST"

const entry = mode + "=child"

func TestMain(m *testing.M) {
	switch os.Getenv(mode) {
	case "":
		os.Exit(m.Run())
	case "front":
		child := Start("/proc/self/exe", entry, []string{"renew"}, []byte(os.Args[1]))
		if child == nil {
			fmt.Println("not started")
			os.Exit(0)
		}
		fmt.Println("started")
		// One that doesn't answer is waited for as long as the test's own end.
		fmt.Println("answered", child.Answered(map[bool]time.Duration{true: time.Millisecond, false: time.Hour}[os.Args[1] == "wait"]))
		if os.Args[1] == "printed" {
			child.End()
			_, err := unix.Wait4(-1, nil, 0, nil)
			fmt.Println("waited for", errors.Is(err, unix.ECHILD))
			os.Exit(0)
		}
		child.HandOver()
		_ = os.Setenv(mode, "whole")
		fmt.Println(syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
	case "child":
		request, _ := io.ReadAll(os.Stdin)
		if string(request) == "interrupt" {
			_ = syscall.Kill(os.Getppid(), syscall.SIGTERM)
			_, _ = unix.Poll([]unix.PollFd{{Fd: 1}}, -1) // until nobody is there to read the answer
			return
		}
		if string(request) == "wait" {
			// Until nobody is there to read the answer.
			_, err := unix.Poll([]unix.PollFd{{Fd: 1}}, -1)
			fmt.Fprint(os.Stderr, "stored ", err)
			return
		}
		if string(request) != "silent" {
			fmt.Printf("answer to %s", request)
		}
		if string(request) == "fail" {
			os.Exit(3)
		}
	case "listed":
		fmt.Println(surroundings())
	default:
		whole(os.Args[1])
	}
}

// surroundings describes pipes and a variable that this process inherited and shouldn't have.
func surroundings() string {
	var found []string
	for fd := range 100 {
		if isPipe(fd) {
			found = append(found, fmt.Sprint("descriptor ", fd))
		}
	}
	if value, ok := os.LookupEnv(variable); ok {
		found = append(found, variable+"="+value)
	}
	return strings.Join(found, ", ")
}

func whole(what string) {
	inherited := surroundings()
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, syscall.SIGTERM)
	Take()
	if what == "interrupt" {
		fmt.Print(<-interrupts)
		os.Exit(0)
	}
	other := exec.Command("/proc/self/exe")
	other.Env = append(os.Environ(), mode+"=listed")
	out, err := other.Output()
	fmt.Printf("inherited %t, passed on %q %v\n", strings.Count(inherited, "descriptor") == 1, strings.TrimSpace(string(out)), err)
	requested, args := what, []string{"renew"}
	switch what {
	case "wait":
		fmt.Println("ready")
		_, _ = io.ReadAll(os.Stdin) // until it is killed
	case "other arguments":
		args = append(args, "--quiet")
	case "another request":
		requested = "this one"
	}
	answer, ended, ok := Answer(entry, args, []byte(requested))
	if ok {
		said, err := io.ReadAll(answer)
		fmt.Printf("%s, %v\n", said, errors.Join(err, ended()))
	} else {
		fmt.Println("no answer")
	}
	End()
	_, _, ok = Answer(entry, args, []byte(requested))
	_, err = unix.Wait4(-1, nil, 0, nil)
	fmt.Printf("again %t, waited for %t", ok, errors.Is(err, unix.ECHILD))
}

func front(t *testing.T, what string) *exec.Cmd {
	if _, err := os.Stat("/proc/self/exe"); err != nil {
		t.Skip("the programs of this test start themselves by /proc")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], what)
	cmd.Env = append(os.Environ(), mode+"=front", variable+"=1 2 0")
	return cmd
}

// A child started early has the whole request, and the program that its parent became, which
// alone holds its answer, reads that.
func TestAnswerIsHandedOver(t *testing.T) {
	t.Parallel()
	const started, alone, once = "started\nanswered true\n", "inherited true, passed on \"\" <nil>\n", "\nagain false, waited for true"
	for what, want := range map[string]string{
		"request":                     started + alone + "answer to request, <nil>" + once,
		"fail":                        started + alone + "answer to fail, exit status 3, signal -1" + once,
		"silent":                      started + alone + ", <nil>" + once,
		"other arguments":             started + alone + "no answer" + once,
		"another request":             started + alone + "no answer" + once,
		"printed":                     started + "waited for true\n",
		strings.Repeat("x", atOnce+1): "not started\n",
	} {
		if out, err := front(t, what).CombinedOutput(); err != nil || string(out) != want {
			t.Errorf("%.20s: %v\n%s\nwant\n%s", what, err, out, want)
		}
	}
}

// An interrupt ends the wait for the answer, and is the program's that its receiver becomes.
func TestInterruptIsHandedOver(t *testing.T) {
	t.Parallel()
	const want = "started\nanswered false\nterminated"
	if out, err := front(t, "interrupt").CombinedOutput(); err != nil || string(out) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out, want)
	}
}

// A child goes on when its parent is killed, also as another program.
func TestChildOfKilledParentGoesOn(t *testing.T) {
	t.Parallel()
	cmd := front(t, "wait")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	said, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd.Stderr = stderr
	if err := errors.Join(cmd.Start(), stderr.Close()); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for scanner := bufio.NewScanner(out); len(lines) < 4 && scanner.Scan(); {
		lines = append(lines, scanner.Text())
	}
	if text := strings.Join(lines, "; "); text != `started; answered false; inherited true, passed on "" <nil>; ready` {
		t.Error(text)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if words, err := io.ReadAll(said); err != nil || string(words) != "stored <nil>" {
		t.Errorf("the child wrote %q, %v", words, err)
	}
}

// An invalid variable is ignored and removed from the environment.
func TestInvalidVariableIsIgnored(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	file, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	in, out, no, self := w.Fd(), r.Fd(), file.Fd(), os.Getpid()
	for _, value := range []string{
		"", "x", "1", "-1 -1", "-1 -1 0",
		fmt.Sprintf("%d 0 0", self),
		fmt.Sprintf("%d %d 0", self, in),
		fmt.Sprintf("%d %d 0", self, no),
		fmt.Sprintf("%d 99999999 0", self),
		fmt.Sprintf("-1 %d 0", out),
		fmt.Sprintf("0 %d 0", out),
	} {
		t.Setenv(variable, value)
		Take()
		if _, ok := os.LookupEnv(variable); ok || taken.Load() != nil {
			t.Errorf("%q was taken", value)
		}
	}
	// The process isn't a child of this one.
	out2, err := unix.Dup(int(out))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(variable, fmt.Sprintf("%d %d 9", self, out2))
	if Take(); taken.Load() != nil || isPipe(out2) {
		t.Error("a foreign process was taken, or its pipe is still open")
	}
}
