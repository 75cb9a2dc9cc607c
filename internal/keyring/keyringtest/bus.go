//go:build linux

// Package keyringtest runs a real Secret Service for tests: gnome-keyring on a session bus of
// its own, separate from the user's.
package keyringtest

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/zen-auth/zen/internal/testwait"
)

// Bus is a session bus that is stopped at the end of the test. Its programs use Home as their
// home directory.
type Bus struct {
	Address string
	Home    string

	t    testing.TB
	conn *dbus.Conn
}

// NewBus starts a bus with dbus-run-session. With activate, the bus starts gnome-keyring when
// it is first called, as a desktop's bus does; otherwise only the test starts programs. If
// the tools are missing, the test is skipped with that reason, or fails if CI is true.
func NewBus(t testing.TB, home string, activate bool) *Bus {
	t.Helper()
	for _, tool := range []string{"dbus-run-session", "gnome-keyring-daemon"} {
		if _, err := exec.LookPath(tool); err != nil && os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing: scripts/install-test-tools.sh installs it", tool)
		} else if err != nil {
			t.Skipf("SKIPPED: %s is missing, so no real keyring is tested. scripts/install-test-tools.sh installs it.", tool)
		}
	}
	args := []string{"--", "sh", "-c", `echo "$DBUS_SESSION_BUS_ADDRESS"; exec cat`}
	if !activate {
		args = append([]string{"--config-file=" + lonelyBus(t)}, args...)
	}
	cmd := exec.Command("dbus-run-session", args...)
	cmd.Env = environment(home, "")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	must(t, err)
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // with the programs that the bus has started
		_ = cmd.Wait()
	})
	address, err := bufio.NewReader(stdout).ReadString('\n')
	must(t, err)
	b := &Bus{Address: strings.TrimSpace(address), Home: home, t: t}
	b.conn, err = dbus.Connect(b.Address)
	must(t, err)
	t.Cleanup(func() { _ = b.conn.Close() })
	return b
}

// lonelyBus writes the configuration of a bus that starts no programs.
func lonelyBus(t testing.TB) string {
	path := filepath.Join(t.TempDir(), "bus.conf")
	must(t, os.WriteFile(path, []byte(`<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`), 0o600))
	return path
}

// Keyring is a running gnome-keyring-daemon.
type Keyring struct {
	bus *Bus
	cmd *exec.Cmd
}

// StartKeyring starts the daemon and waits until it answers. A password unlocks the login
// keyring in Home, which is created if it is missing; an empty one leaves it locked.
func (b *Bus) StartKeyring(password string) *Keyring {
	t := b.t
	t.Helper()
	runtime, err := os.MkdirTemp("", "zen-keyring-") // short, since a socket's path has at most 107 bytes
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(runtime) })
	args := []string{"--foreground", "--components=secrets", "--control-directory=" + runtime}
	if password != "" {
		args = append(args, "--unlock")
	}
	cmd := exec.Command("gnome-keyring-daemon", args...)
	cmd.Env = environment(b.Home, b.Address)
	cmd.Stdin = strings.NewReader(password)
	must(t, cmd.Start())
	k := &Keyring{b, cmd}
	t.Cleanup(k.Stop)
	b.awaitOwner(true)
	return k
}

// Stop ends the daemon; its items stay in Home.
func (k *Keyring) Stop() {
	if k.cmd.ProcessState != nil {
		return
	}
	_ = k.cmd.Process.Signal(syscall.SIGTERM)
	_ = k.cmd.Process.Signal(syscall.SIGCONT)
	_ = k.cmd.Wait()
	k.bus.awaitOwner(false)
}

// Lock locks the login keyring.
func (k *Keyring) Lock() {
	k.bus.t.Helper()
	login := []dbus.ObjectPath{"/org/freedesktop/secrets/collection/login"}
	service := k.bus.conn.Object("org.freedesktop.secrets", "/org/freedesktop/secrets")
	must(k.bus.t, service.Call("org.freedesktop.Secret.Service.Lock", 0, login).Err)
}

// Freeze stops the daemon's process: it exists, and never answers.
func (k *Keyring) Freeze() { must(k.bus.t, k.cmd.Process.Signal(syscall.SIGSTOP)) }

// Thaw resumes a frozen daemon.
func (k *Keyring) Thaw() { must(k.bus.t, k.cmd.Process.Signal(syscall.SIGCONT)) }

func (b *Bus) awaitOwner(want bool) {
	b.t.Helper()
	err := testwait.Done(context.Background(), func() bool { // at the end of a test, too
		var owned bool
		err := b.conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, "org.freedesktop.secrets").Store(&owned)
		return err != nil || owned == want // an error means that the bus has ended, and the daemon with it
	})
	if err != nil {
		b.t.Fatalf("org.freedesktop.secrets on the bus is not %t: %v", want, err)
	}
}

// FakeBus returns the address of a bus that accepts connections and never answers.
func FakeBus(t testing.TB) (address string) {
	dir, err := os.MkdirTemp("", "zen-bus-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	listener, err := net.Listen("unix", filepath.Join(dir, "bus"))
	must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, conn) }()
		}
	}()
	return "unix:path=" + listener.Addr().String()
}

func environment(home, address string) []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_RUNTIME_DIR=" + home}
	if address != "" {
		env = append(env, "DBUS_SESSION_BUS_ADDRESS="+address)
	}
	return env
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
