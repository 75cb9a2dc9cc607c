//go:build !windows

package early

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

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
		if os.Args[1] == "renew" {
			panic("the child runs as the front")
		}
		Start("/proc/self/exe", entry, []string{"renew"})
		_ = os.Setenv(mode, "whole")
		fmt.Println(syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
	case "child":
		request, _ := io.ReadAll(os.Stdin)
		if len(request) > 0 {
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
	for fd := 3; fd < 100; fd++ {
		if isPipe(fd, unix.O_RDONLY) || isPipe(fd, unix.O_WRONLY) {
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
	Take()
	other := exec.Command("/proc/self/exe")
	other.Env = append(os.Environ(), mode+"=listed")
	out, err := other.Output()
	fmt.Printf("inherited %t, passed on %q %v\n", strings.Count(inherited, "descriptor") == 2, strings.TrimSpace(string(out)), err)
	asked, args := what, []string{"renew"}
	switch what {
	case "wait":
		fmt.Println("ready")
		_, _ = io.ReadAll(os.Stdin) // until it is killed
	case "end":
		End()
		asked = "too late"
	case "other":
		args = append(args, "--quiet")
	case "long":
		asked = strings.Repeat("x", atOnce+1)
	}
	answer, ended, ok := Ask(entry, args, []byte(asked))
	if ok {
		said, err := io.ReadAll(answer)
		fmt.Printf("%s, %v\n", said, errors.Join(err, ended()))
	} else {
		fmt.Println("not asked")
	}
	_, _, ok = Ask(entry, args, []byte(asked))
	End()
	_, err = unix.Wait4(-1, nil, 0, nil)
	fmt.Printf("again %t, waited for %t", ok, errors.Is(err, unix.ECHILD))
}

func front(t *testing.T, what string) *exec.Cmd {
	if _, err := os.Stat("/proc/self/exe"); err != nil {
		t.Skip("the programs of this test start themselves by /proc")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], what)
	cmd.Env = append(os.Environ(), mode+"=front", variable+"=1 2 3")
	return cmd
}

// A child started early receives one request from the program that its parent became, which
// alone holds the pipes, or is ended.
func TestAskedOrEnded(t *testing.T) {
	t.Parallel()
	for what, want := range map[string]string{
		"request": "answer to request, <nil>",
		"fail":    "answer to fail, exit status 3, signal -1",
		"end":     "not asked",
		"other":   "not asked",
		"long":    "not asked",
	} {
		want = "inherited true, passed on \"\" <nil>\n" + want + "\nagain false, waited for true"
		if out, err := front(t, what).CombinedOutput(); err != nil || string(out) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", what, err, out, want)
		}
	}
}

// A child whose parent was killed ends without output. Only the parent held the other end of
// its input, so the child's standard error closes when both have ended.
func TestChildOfKilledParentEnds(t *testing.T) {
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
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "ready"; {
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if words, err := io.ReadAll(said); err != nil || len(words) > 0 {
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
		"", "x", "1 2", "-1 -1 -1",
		fmt.Sprintf("%d 1 0", self),
		fmt.Sprintf("%d %d %d", self, out, in),
		fmt.Sprintf("%d %d %d", self, in, no),
		fmt.Sprintf("%d %d 99999999", self, in),
		fmt.Sprintf("-1 %d %d", in, out),
		fmt.Sprintf("0 %d %d", in, out),
	} {
		t.Setenv(variable, value)
		Take()
		if _, ok := os.LookupEnv(variable); ok || waiting.Load() != nil {
			t.Errorf("%q was taken", value)
		}
	}
	// The process isn't a child of this one.
	in2, _ := unix.Dup(int(in))
	out2, _ := unix.Dup(int(out))
	t.Setenv(variable, fmt.Sprintf("%d %d %d", self, in2, out2))
	if Take(); waiting.Load() != nil || isPipe(in2, unix.O_WRONLY) || isPipe(out2, unix.O_RDONLY) {
		t.Error("a foreign process was taken, or its pipes are still open")
	}
}
