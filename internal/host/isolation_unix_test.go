//go:build unix

package host

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/leftover"
	"github.com/zen-auth/zen/internal/testwait"
)

func TestPitfall01And02ProviderSeesOnlyWhatIsAllowed(t *testing.T) {
	environ := []string{
		"HOME=/home/u", "PATH=/bin", "LANG=C", "LC_ALL=C.UTF-8", "TZ=UTC", "HTTPS_PROXY=http://proxy", "no_proxy=local",
		"SSL_CERT_FILE=/ca.pem",
		"ZEN_CLERK__SECRET=" + planted, "TURSO_API_TOKEN=" + planted, "AWS_SECRET_ACCESS_KEY=" + planted,
		"LD_PRELOAD=/evil.so", "GODEBUG=http2debug=2", "XDG_RUNTIME_DIR=/run", "broken",
		goplugin.EnvUnixSocketDir + "=/somewhere", handshake.CookieKey + "=wrong",
	}
	client := open(t, manage(t, Options{Environ: environ}, "good"), "good")
	claims := ask(t, client, "environ")
	got := make(map[string]string)
	for _, entry := range claims.Audience {
		name, value, _ := strings.Cut(entry, "=")
		got[name] = value
		if strings.Contains(entry, planted) {
			t.Errorf("the provider sees %s", name)
		}
	}
	for name, value := range map[string]string{
		"HOME": "/home/u", "PATH": "/bin", "LC_ALL": "C.UTF-8", "HTTPS_PROXY": "http://proxy", "no_proxy": "local",
		"SSL_CERT_FILE": "/ca.pem", handshake.CookieKey: handshake.CookieValue,
	} {
		if got[name] != value {
			t.Errorf("%s is %q", name, got[name])
		}
	}
	for name := range got {
		if !passes(name) && name != handshake.CookieKey && !strings.HasPrefix(name, "PLUGIN_") {
			t.Errorf("the provider sees %s", name)
		}
	}
	if claims.Actor != claims.Actor[:strings.Index(claims.Actor+" ", " ")] || filepath.Base(claims.Actor) != handshake.BinaryName("good") {
		t.Errorf("arguments %q", claims.Actor)
	}
}

func TestPitfall03ProviderHasNoStandardInputAndAGroupOfItsOwn(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	if _, err := write.WriteString("password-typed-by-user\n"); err != nil {
		t.Fatal(err)
	}
	stdin := os.Stdin
	os.Stdin = read
	defer func() { os.Stdin = stdin }()
	client := open(t, manage(t, Options{}, "good"), "good")
	if got := ask(t, client, "stdin").Subject; got != "" {
		t.Errorf("the provider read %q", got)
	}
	if pid, group := ask(t, client, "pid").Subject, ask(t, client, "group").Subject; pid != group {
		t.Errorf("process %s is in group %s", pid, group)
	}
}

func TestPitfall04And05SocketDirectoryIsPrivateAndRemoved(t *testing.T) {
	for name, tmp := range map[string]string{"short": t.TempDir(), "long": filepath.Join(t.TempDir(), strings.Repeat("d", 100))} {
		t.Run(name, func(t *testing.T) {
			if err := os.MkdirAll(tmp, 0o755); err != nil {
				t.Fatal(err)
			}
			t.Setenv("TMPDIR", tmp)
			m := manage(t, Options{}, "good")
			for _, end := range []string{"close", "crash"} {
				claims := ask(t, open(t, m, "good"), "cwd")
				dir := claims.ID
				if claims.Subject != dir || len(dir) > handshake.MaxSocketDir {
					t.Errorf("the provider runs in %q, its socket is in %q", claims.Subject, dir)
				}
				info, err := os.Stat(dir)
				if err != nil || info.Mode().Perm() != 0o700 {
					t.Errorf("%s has mode %v, %v, want 0700", dir, info.Mode(), err)
				}
				if end == "crash" {
					_ = verify(t, open(t, m, "good"), "exit")
				}
				if end == "close" {
					m.Close(t.Context())
					m = manage(t, Options{}, "good")
				} else {
					waitRemoved(t, dir)
				}
				if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("after %s: %v", end, err)
				}
			}
		})
	}
}

// waitRemoved waits for the cleanup after a crash.
func waitRemoved(t *testing.T, dir string) {
	t.Helper()
	testwait.Until(t, dir+" is removed", func() bool { return isGone(dir) })
}

func isGone(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, os.ErrNotExist)
}

func TestPitfall09StopIsBounded(t *testing.T) {
	onLinux(t)
	m := manage(t, Options{}, "good")
	client := open(t, m, "good")
	pid := ask(t, client, "pid").Subject
	number, _ := strconv.Atoi(pid)
	if err := syscall.Kill(number, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitGone(t, pid)
}

func TestPitfall09StopIsQuickWithACallUnderWay(t *testing.T) {
	m := manage(t, Options{}, "good")
	client := open(t, m, "good")
	ended, fuse := make(chan error, 1), put(t, 0o600, t.TempDir(), "fuse")
	go func() { ended <- verify(t, client, "hang "+fuse) }()
	testwait.Until(t, "the call is under way", func() bool { return isGone(fuse) })
	if err := m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil || strings.Contains(err.Error(), "crash") {
		t.Errorf("the call under way: %v", err)
	}
}

func TestNothingIsLeftOfAProvider(t *testing.T) {
	onLinux(t)
	for _, end := range []string{"close", "crash"} {
		m := manage(t, Options{}, "good")
		client := open(t, m, "good")
		grandchild, daemon := ask(t, client, "child").Subject, ask(t, client, "daemon").Subject
		if end == "crash" {
			_ = verify(t, client, "exit")
		} else {
			m.Close(t.Context())
		}
		waitGone(t, grandchild)
		waitGone(t, daemon)
	}
}

func TestPitfall10To12ProviderDiesWithItsHost(t *testing.T) {
	onLinux(t)
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		dir := installed(t, "good", "host")
		host := exec.Command(filepath.Join(dir, handshake.BinaryName("host")), dir, "", "pid", "daemon")
		tmp := t.TempDir()
		host.Env = append(os.Environ(), "TMPDIR="+tmp)
		out, err := host.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := host.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		pid, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		daemon, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", host.Process.Pid))
		if err != nil || !regexp.MustCompile(`Max core file size +0 `).Match(limits) {
			t.Errorf("the host may dump core: %v\n%s", err, limits)
		}
		if err := host.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		_ = host.Wait()
		waitGone(t, strings.TrimSpace(pid))
		sweptByNextHost(t, tmp, strings.TrimSpace(daemon))
		err = filepath.WalkDir(tmp, func(path string, entry os.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				t.Errorf("%v left %s", signal, path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// A provider's child processes end when zen is killed, whatever their process group, session
// and environment are.
func TestNothingIsLeftOfAProviderWhoseHostIsKilled(t *testing.T) {
	onLinux(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(t.TempDir(), "held")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	dir, tmp := installed(t, "good", "host"), t.TempDir()
	host := exec.Command(filepath.Join(dir, handshake.BinaryName("host")), dir, self, "hold "+pipe)
	host.Env = append(os.Environ(), "TMPDIR="+tmp)
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	held, err := os.Open(pipe) // once the child has opened it
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait()
	if _, err := io.ReadAll(held); err != nil {
		t.Fatal(err)
	}
}

func processGroup() int { return syscall.Getpgrp() }

// sweptByNextHost starts another host after one was killed, and waits for it to end what that
// one's provider left running.
func sweptByNextHost(t *testing.T, tmp, daemon string) {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(tmp, leftover.Prefix+"*"))
	if err != nil || len(dirs) != 1 || ended(daemon) {
		t.Fatalf("%v, %v, or process %s has ended", dirs, err, daemon)
	}
	old := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(dirs[0], old, old); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", tmp)
	open(t, manage(t, Options{}, "good"), "good")
	waitGone(t, daemon)
}

func BenchmarkEndLeft(b *testing.B) {
	for b.Loop() {
		leftover.End("/nowhere")
	}
}
