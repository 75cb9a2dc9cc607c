//go:build unix

package host

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/testwait"
)

// shortDir returns a directory whose path leaves room for that of a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "z")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// debugged starts a provider the way its author does in a debugger, and returns its socket.
func debugged(t *testing.T, tmp string) (cmd *exec.Cmd, socket string) {
	t.Helper()
	cmd = exec.Command(filepath.Join(installed(t, "good"), handshake.BinaryName("good")))
	cmd.Env = append(os.Environ(), handshake.DebugKey+"=1", "TMPDIR="+tmp)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	value := regexp.MustCompile(`^ *export ` + handshake.ReattachKey + `='(.*)'$`)
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		if found := value.FindStringSubmatch(lines.Text()); found != nil {
			var sockets map[string]string
			if err := json.Unmarshal([]byte(found[1]), &sockets); err != nil {
				t.Fatal(err)
			}
			return cmd, sockets["good"]
		}
	}
	t.Fatal("the provider didn't print " + handshake.ReattachKey)
	return nil, ""
}

// go-plugin's ReattachConfig can't be encoded as JSON and has no version. A path can, and the
// services have the version in their names.
func TestPitfall26AProcessOfItsAuthorIsUsedAndLeftAlone(t *testing.T) {
	cmd, socket := debugged(t, shortDir(t))
	for range 2 {
		m := NewManager(Options{
			Override: func(name string) (string, error) { return map[string]string{"good": socket}[name], nil },
			Trust:    func(context.Context, Binary) error { return errors.New("asked") },
		})
		m.limits.remote = time.Millisecond
		client, err := m.Open(t.Context(), "good", provider.Settings{"color": provider.NewSecret("blue")})
		if err != nil {
			t.Fatal(err)
		}
		if got := ask(t, client, "settings color").Subject; got != "blue" {
			t.Errorf("color is %q", got)
		}
		// The provider may be stopped at a breakpoint, so only the caller's context ends a
		// call.
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		if _, err := client.Verify(ctx, provider.NewSecret("hang")); !errors.Is(err, context.Canceled) {
			t.Errorf("a hanging call: %v, want context.Canceled", err)
		}
		if err := m.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the provider ended with %v", err)
	}
	if _, err := os.Lstat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket was not removed: %v", err)
	}
}

// Between two builds no provider runs. The next process gets the same configuration.
func TestAnAttachedProcessComesAndGoes(t *testing.T) {
	tmp := shortDir(t)
	cmd, socket := debugged(t, tmp)
	m := manage(t, Options{Override: func(string) (string, error) { return socket, nil }})
	client, err := m.Open(t.Context(), "good", provider.Settings{"color": provider.NewSecret("blue")})
	if err != nil {
		t.Fatal(err)
	}
	ended, fuse := make(chan error, 1), put(t, 0o600, t.TempDir(), "fuse")
	go func() { ended <- verify(t, client, "hang "+fuse) }()
	testwait.Until(t, "the call is under way", func() bool { return isGone(fuse) })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if err := <-ended; !errors.Is(err, provider.ErrUnavailable) || !strings.Contains(err.Error(), "the connection to provider good broke in Verify") {
		t.Errorf("the call under way: %v", err)
	}
	if err := verify(t, client, "pid"); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("a call without a process: %v, want ErrUnavailable", err)
	}
	debugged(t, tmp)
	if got := ask(t, client, "settings color").Subject; got != "blue" {
		t.Errorf("color is %q", got)
	}
}

func TestOnlySocketsOutOfOthersReachAreUsed(t *testing.T) {
	dir := shortDir(t)
	listener, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	socket := listener.Addr().String()
	if reason := reachable(socket); reason != "" {
		t.Errorf("a private socket: %s", reason)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if reason := reachable(filepath.Join(link, "s")); !strings.Contains(reason, "directory") {
		t.Errorf("through a link: %q", reason)
	}
	if err := os.Chmod(dir, 0o710); err != nil {
		t.Fatal(err)
	}
	if reason := reachable(socket); !strings.Contains(reason, "directory") {
		t.Errorf("in an open directory: %q", reason)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if reason := reachable(put(t, 0o600, dir, "file")); reason != "it is not a socket" {
		t.Errorf("a file: %q", reason)
	}
	if os.Geteuid() == 0 {
		if err := os.Lchown(socket, 1, 1); err != nil {
			t.Fatal(err)
		}
		if reason := reachable(socket); reason != "it is not yours" {
			t.Errorf("another user's: %q", reason)
		}
	}
}

// A program that overrides the installed one runs without a question about trust, and is
// looked up again at each start.
func TestAnOverrideIsFoundAnewAtEachStart(t *testing.T) {
	dir, installedThere := t.TempDir(), installed(t, "good")
	path := filepath.Join(dir, "built")
	m := manage(t, Options{
		Override: func(name string) (string, error) { return map[string]string{"good": path}[name], nil },
		Trust:    func(context.Context, Binary) error { return errors.New("asked") },
	})
	if _, err := m.Open(t.Context(), "good", nil); !errors.Is(err, provider.ErrNoProvider) || !strings.Contains(provider.Hint(err), "dev stop good") {
		t.Fatalf("before it is built: %v", err)
	}
	// The provider is a script, since under another name the test binary would run the tests.
	script := "#!/bin/sh\nexec " + filepath.Join(installedThere, handshake.BinaryName("good")) + "\n"
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	client := open(t, m, "good")
	ask(t, client, "pid")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	var ended *ExitError
	if err := verify(t, client, "exit"); !errors.As(err, &ended) {
		t.Errorf("after a broken build: %v, want ExitError", err)
	}
	if err := os.Chmod(path, 0o777); err != nil {
		t.Fatal(err)
	}
	var unsafe *UnsafeError
	if _, err := m.Open(t.Context(), "good", nil); !errors.As(err, &unsafe) {
		t.Errorf("a program that others may write: %v, want UnsafeError", err)
	}
}
