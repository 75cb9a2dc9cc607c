package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/zen-auth/zen/internal/handshake"
)

func init() {
	isDumpable = func() bool {
		dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
		return dumpable != 0 || err != nil
	}
}

// copied returns a directory with a copy of the test binary under each of names.
func copied(t testing.TB, names ...string) string {
	t.Helper()
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, handshake.BinaryName(name)), self, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Pitfalls 18 and 19, and the race between check and start: whatever replaces the file after
// the check, the checked bytes run.
func TestPitfall19TheBytesThatWereCheckedRun(t *testing.T) {
	dir := copied(t, "good")
	path := filepath.Join(dir, handshake.BinaryName("good"))
	attacked := false
	m := NewManager(Options{Dirs: []string{dir}, Trust: func(_ context.Context, b Binary) error {
		attacked = true
		// The file can't be written in place,
		if f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0); !errors.Is(err, unix.EWOULDBLOCK) {
			t.Errorf("opened for writing: %v, %v", f, err)
		}
		// and renaming another file to its path doesn't change what runs.
		evil := filepath.Join(dir, "evil")
		if err := os.WriteFile(evil, []byte("#!/bin/sh\necho evil\n"), 0o755); err != nil {
			t.Error(err)
		}
		return os.Rename(evil, path)
	}})
	defer m.Close(context.Background())
	client, err := m.Open(t.Context(), "good", nil)
	if err != nil || !attacked {
		t.Fatal(err)
	}
	ask(t, client, "pid")
}

// A question about trust may outlast a lease. A file that was changed in the meantime doesn't
// run, whatever the answer.
func TestWhatChangesBeforeTheAnswerDoesNotRun(t *testing.T) {
	for name, change := range map[string]func(path string){
		"written": func(path string) { write(t, path) },
		"a writer is there": func(path string) {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
		},
	} {
		dir := copied(t, "good")
		path := filepath.Join(dir, handshake.BinaryName("good"))
		m := NewManager(Options{Dirs: []string{dir}, Trust: func(context.Context, Binary) error {
			endLease(t, path) // as the system does after 45 s
			change(path)
			return nil
		}})
		var unsafe *UnsafeError
		if _, err := m.Open(t.Context(), "good", nil); !errors.As(err, &unsafe) {
			t.Errorf("%s: Open: %v, want UnsafeError", name, err)
		}
		m.Close(context.Background())
	}

	// A lease that was lost to a writer who wrote nothing is taken again.
	dir := copied(t, "good")
	path := filepath.Join(dir, handshake.BinaryName("good"))
	m := NewManager(Options{Dirs: []string{dir}, Trust: func(context.Context, Binary) error {
		endLease(t, path)
		return nil
	}})
	ask(t, open(t, m, "good"), "pid")
	m.Close(context.Background())
}

// endLease ends this process's lease on the file at path.
func endLease(t *testing.T, path string) {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range open {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		if to, err := os.Readlink("/proc/self/fd/" + entry.Name()); err != nil || to != path {
			continue
		}
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_UNLCK); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("%s isn't open", path)
}

// While a provider runs, the system refuses to open its file for writing; after it has ended,
// no lease is left.
func TestTheLeaseIsGivenBack(t *testing.T) {
	dir := copied(t, "good")
	path := filepath.Join(dir, handshake.BinaryName("good"))
	m := NewManager(Options{Dirs: []string{dir}})
	open(t, m, "good")
	if _, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0); !errors.Is(err, syscall.ETXTBSY) {
		t.Errorf("while it runs: %v, want ETXTBSY", err)
	}
	if err := m.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatalf("opening for writing after Close: %v", err)
	}
	// A file that is open for writing doesn't run.
	defer f.Close()
	m = NewManager(Options{Dirs: []string{dir}})
	defer m.Close(context.Background())
	var unsafe *UnsafeError
	if _, err := m.Open(t.Context(), "good", nil); !errors.As(err, &unsafe) {
		t.Errorf("while a writer has the file open: %v, want UnsafeError", err)
	}
}

// What was written to after it was hashed is hashed anew, and what isn't started is given back.
func TestWhatIsExpectedIsHeldStill(t *testing.T) {
	dir := copied(t, "good")
	path := filepath.Join(dir, handshake.BinaryName("good"))
	expected := expect([]string{dir}, []string{"good"})
	expected.hashing.Wait()
	before := expected.programs[path].binary.SHA256
	if f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0); !errors.Is(err, unix.EWOULDBLOCK) {
		t.Errorf("opened for writing: %v, %v", f, err)
	}
	expected.close()
	if f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0); err != nil {
		t.Errorf("it is still held: %v", err)
	} else if err := f.Close(); err != nil {
		t.Fatal(err)
	}

	m, sums := trusted(t, dir, "good")
	m.expected.hashing.Wait()
	endLease(t, path) // which the system does 45 s after a writer has come
	write(t, path)
	ask(t, open(t, m, "good"), "pid")
	if len(*sums) != 1 || (*sums)[0] != sumAt(t, path) || (*sums)[0] == before {
		t.Errorf("trust was asked about %v, before it was written to about %s", *sums, before)
	}
}

// unleased makes p one of a file that can't be leased: another user's, or on a file system or
// a system without leases.
func unleased(p *program) {
	letGo(p.File)
	p.leased = false
	p.hashed = time.Now().Add(time.Hour) // however late the answer of trust is
}

// write makes the file at path longer, in place.
func write(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString("more")
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// Without a lease, too, what was written to after it was hashed is hashed anew.
func TestWhatIsExpectedAndWrittenToIsHashedAgain(t *testing.T) {
	dir := copied(t, "good")
	path := filepath.Join(dir, handshake.BinaryName("good"))
	m, sums := trusted(t, dir, "good")
	m.expected.hashing.Wait()
	unleased(m.expected.programs[path])
	write(t, path)
	ask(t, open(t, m, "good"), "pid")
	if len(*sums) != 1 || (*sums)[0] != sumAt(t, path) {
		t.Errorf("trust was asked about %v, the file has %s", *sums, sumAt(t, path))
	}
}

// Without a lease, too, what is written to while trust is asked, or after that, doesn't run.
func TestWhatIsWrittenToWhileItStartsDoesNotRun(t *testing.T) {
	for name, c := range map[string]struct {
		provider string
		during   func(path string)
		want     string
	}{
		"left alone": {"good", func(string) {}, ""},
		"written with the same": {"good", func(path string) {
			if err := os.Chtimes(path, time.Time{}, time.Now()); err != nil {
				t.Fatal(err)
			}
		}, ""},
		"written to":            {"good", func(path string) { write(t, path) }, "while zen waited"},
		"written to at the end": {"touched", func(string) {}, "while zen started it"},
	} {
		dir := copied(t, c.provider)
		path := filepath.Join(dir, handshake.BinaryName(c.provider))
		m := NewManager(Options{Dirs: []string{dir}, Expect: []string{c.provider}, Trust: func(context.Context, Binary) error {
			c.during(path)
			return nil
		}})
		m.expected.hashing.Wait()
		unleased(m.expected.programs[path])
		_, err := m.Open(t.Context(), c.provider, nil)
		var unsafe *UnsafeError
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &unsafe) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: Open: %v, want %q", name, err, c.want)
		}
		_ = m.Close(context.Background())
	}
}
