package store_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/store"
)

// No credential is lost on a full or read-only disk. The test runs itself again in a
// namespace where it may mount a small disk.
func TestFullAndReadOnlyDisk(t *testing.T) {
	if dir := os.Getenv("ZEN_TEST_DISK"); dir != "" {
		onSmallDisk(t, dir)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFullAndReadOnlyDisk$")
	cmd.Env = append(os.Environ(), "ZEN_TEST_DISK="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || strings.Contains(string(out), "SKIPPED") {
		t.Skipf("SKIPPED: no disk can be mounted here, so none is filled: %v %s", err, out)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func onSmallDisk(t *testing.T, dir string) {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatalf("SKIPPED: mount: %v", err)
	}
	w := newWorld(t)
	w.dir = dir
	must(t, w.login("", "old"))
	ballast := filepath.Join(dir, "ballast")
	f, err := os.Create(ballast)
	must(t, err)
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	f.Close()
	for what, err := range map[string]error{
		"login":                w.login("", "new"),
		"login --storage file": w.login(store.StorageFile, "new"),
	} {
		if !errors.Is(err, syscall.ENOSPC) || errors.Is(err, provider.ErrConfig) || !strings.HasPrefix(err.Error(), `write credentials of profile "p": `) {
			t.Errorf("%s = %v", what, err)
		}
	}
	must(t, os.Remove(ballast))
	w.wantCredential("old")
	w.wantStorage(store.StorageKeyring)
	if files := len(w.files()); files != 3 { // credentials, metadata, lock
		t.Errorf("%d files left: %v", files, w.files())
	}

	must(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	w.wantCredential("old") // an unexpired credential can still be used
	w.wantStorage(store.StorageKeyring)
	if err := w.login("", "new"); !errors.Is(err, syscall.EROFS) || strings.Contains(err.Error(), "\n") {
		t.Errorf("login = %v", err)
	}
}
