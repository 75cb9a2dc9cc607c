package leftover_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/zen-auth/zen/internal/leftover"
)

// TestMain also runs each process of a family: a host starts and marks a provider, which
// starts a child. All but the host run until the end of their standard input, which the test
// keeps open.
func TestMain(m *testing.M) {
	switch role := os.Getenv("ZEN_TEST_ROLE"); role {
	case "":
		os.Exit(m.Run())
	case "host":
		leftover.Mark(relative("provider").Process.Pid, "dir")
	case "provider":
		relative("child")
	}
	fmt.Println(os.Getenv("ZEN_TEST_ROLE"), "is ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// relative starts the next process of the family with this one's standard streams, and
// returns it when it is loaded.
func relative(role string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "ZEN_TEST_ROLE="+role)
	cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	return cmd
}

// family starts a process in this role, and returns the output that it shares with its
// children. The output ends when all of them have ended.
func family(t *testing.T, role string) (cmd *exec.Cmd, lines *bufio.Scanner) {
	t.Helper()
	in, hold, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, printed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hold.Close(); out.Close() })
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "ZEN_TEST_ROLE="+role)
	cmd.Stdin, cmd.Stdout = in, printed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	printed.Close()
	return cmd, bufio.NewScanner(out)
}

// wait reads until the child is ready.
func wait(t *testing.T, lines *bufio.Scanner) {
	t.Helper()
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "child") {
			return
		}
	}
	t.Fatal("the output ended before the child was ready")
}

// ended reads until every process of the family has ended. If one stays, the test hangs.
func ended(lines *bufio.Scanner) {
	for lines.Scan() {
	}
}

// The processes that a provider started end with it.
func TestEndReachesTheChildren(t *testing.T) {
	provider, lines := family(t, "provider")
	leftover.Mark(provider.Process.Pid, t.Name())
	wait(t, lines)
	leftover.End(t.Name())
	ended(lines)
	_ = provider.Wait()
}

// They also end with zen, even if it is killed.
func TestChildrenEndWithAKilledHost(t *testing.T) {
	host, lines := family(t, "host")
	wait(t, lines)
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait()
	ended(lines)
}
