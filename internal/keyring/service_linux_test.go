package keyring

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/keyring/keyringtest"
	"github.com/zen-auth/zen/internal/store"
)

// TestMain also runs the other process of these tests: package dbus has one connection per
// process, which a hanging call blocks.
func TestMain(m *testing.M) {
	if op := os.Getenv("ZEN_TEST_KEYRING"); op != "" {
		syscall.Exit(operate(op)) // os.Exit takes a second under the race detector
	}
	os.Exit(m.Run())
}

func operate(op string) int {
	timeout, _ := time.ParseDuration(os.Getenv("ZEN_TEST_TIMEOUT"))
	k := New(Options{Timeout: timeout})
	var secret provider.Secret
	var err error
	switch op {
	case "get":
		secret, err = k.Get(context.Background(), "item")
	case "set":
		err = k.Set(context.Background(), "item", provider.NewSecret("planted"))
	case "delete":
		err = k.Delete(context.Background(), "item")
	case "probe":
		err = k.Probe(context.Background())
	}
	switch {
	case errors.Is(err, store.ErrNoItem):
		fmt.Println("not there")
	case errors.Is(err, provider.ErrUnavailable):
		fmt.Println("unavailable:", err)
	case err != nil:
		fmt.Println("error:", err)
	default:
		fmt.Println("ok", secret.Reveal())
	}
	return 0
}

// patience is the timeout where an answer is expected, even on a busy machine.
const patience = 30 * time.Second

// run operates on a bus's keyring in another process.
func run(t *testing.T, timeout time.Duration, home, bus, op string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{"ZEN_TEST_KEYRING=" + op, "ZEN_TEST_TIMEOUT=" + timeout.String(), "HOME=" + home, "PATH=" + os.Getenv("PATH")}
	if bus != "" {
		cmd.Env = append(cmd.Env, "DBUS_SESSION_BUS_ADDRESS="+bus)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

func want(t *testing.T, got, want string) {
	t.Helper()
	if !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// An item is stored, read and deleted in a real Secret Service, which is restarted and locked
// in between. (spike C1)
func TestSecretService(t *testing.T) {
	bus := keyringtest.NewBus(t, t.TempDir(), false)
	do := func(op string) string { return run(t, patience, bus.Home, bus.Address, op) }

	want(t, do("get"), "unavailable: the keyring can't be used: The name org.freedesktop.secrets was not provided")

	first := bus.StartKeyring("correct horse")
	want(t, do("get"), "not there")
	want(t, do("probe"), "ok")
	want(t, do("set"), "ok")
	want(t, do("get"), "ok planted")
	first.Lock()
	want(t, do("get"), "unavailable: the keyring can't be used: failed to unlock")
	want(t, do("probe"), "unavailable")
	first.Stop()
	want(t, do("get"), "unavailable")

	second := bus.StartKeyring("correct horse")
	want(t, do("get"), "ok planted")
	second.Freeze()
	for _, op := range []string{"get", "probe"} {
		want(t, run(t, 0, bus.Home, bus.Address, op), "unavailable: the keyring can't be used: it did not answer within 1s")
	}
	second.Thaw()
	want(t, do("delete"), "ok")
	want(t, do("get"), "not there")
	want(t, do("delete"), "not there")
	second.Stop()

	bus.StartKeyring("") // as after a login without the password
	want(t, do("get"), "unavailable: the keyring can't be used: failed to unlock")
}

// A bus that starts gnome-keyring itself, for a user without a home directory.
func TestSecretServiceWithoutHome(t *testing.T) {
	bus := keyringtest.NewBus(t, filepath.Join(t.TempDir(), "missing"), true)
	for _, op := range []string{"probe", "get", "set"} {
		want(t, run(t, patience, bus.Home, bus.Address, op), "unavailable")
	}
}

func TestSilentBus(t *testing.T) {
	want(t, run(t, 0, t.TempDir(), keyringtest.FakeBus(t), "probe"), "unavailable: the keyring can't be used: it did not answer within 1s")
}

// A probe never starts a bus: dbus-launch, which is on the PATH here, isn't run. It would
// leave a bus running after every call, and hang without a home directory.
func TestNoBusIsStarted(t *testing.T) {
	bin := t.TempDir()
	ran := filepath.Join(bin, "ran")
	script := "#!/bin/sh\ntouch " + ran + "\n"
	if err := os.WriteFile(filepath.Join(bin, "dbus-launch"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	socket := fmt.Sprintf("/run/user/%d/bus", os.Getuid())
	for address, says := range map[string]string{
		"":            "(DBUS_SESSION_BUS_ADDRESS is not set, and there is no " + socket + ")",
		"autolaunch:": "(DBUS_SESSION_BUS_ADDRESS asks to start one)",
		"unix:path=/nowhere;autolaunch:scope=install":          "(DBUS_SESSION_BUS_ADDRESS asks to start one)",
		"unix:path=/nowhere/bus,guid=0123;unix:path=/nowhere2": "(there is no socket where DBUS_SESSION_BUS_ADDRESS points)",
	} {
		if address == "" && isSocket(socket) {
			continue // this machine runs a desktop
		}
		want(t, run(t, patience, filepath.Join(bin, "no-home"), address, "probe"), "unavailable: there is no keyring: no session bus "+says)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("dbus-launch was run")
	}
}
