package install

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/host/pin"
	"github.com/zen-auth/zen/internal/testwait"
)

// trusted checks that the installed binary is one that may run, and returns its checksum.
func (s *Store) trusted(t *testing.T) (sum string) {
	t.Helper()
	binary, err := host.Inspect([]string{s.Dir}, "acme")
	if err == nil {
		err = (&pin.Policy{Lock: s.Lock}).Trust(t.Context(), binary)
	}
	if err != nil {
		t.Fatal(err)
	}
	return binary.SHA256
}

// TestCutShort ends an installation and a rollback at each step: the provider still runs, and
// the next command continues from there.
func TestCutShort(t *testing.T) {
	for _, command := range []string{"install", "rollback"} {
		for step := range 4 {
			dir := t.TempDir()
			files := map[string]string{}
			for _, version := range []string{"1.0.0", "2.0.0", "3.0.0"} {
				if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
					t.Fatal(err)
				}
				files[version] = write(t, program(t, version), dir, version, acme)
			}
			s := newStore(t)
			for _, version := range []string{"1.0.0", "2.0.0"} {
				if _, err := s.Install(t.Context(), Request{Source: files[version]}); err != nil {
					t.Fatal(err)
				}
			}
			errCut := errors.New("cut short")
			cut := func() {
				defer func() {
					if v := recover(); v != nil && v != errCut {
						panic(v)
					}
				}()
				left := step
				s.steps = func() {
					if left == 0 {
						panic(errCut)
					}
					left--
				}
				if command == "install" {
					_, _ = s.Install(t.Context(), Request{Source: files["3.0.0"]})
				} else {
					_, _ = s.Rollback(t.Context(), "acme")
				}
			}
			cut()
			s.steps = nil
			s.trusted(t)
			binary, err := host.Inspect([]string{s.Dir}, "acme")
			if err != nil {
				t.Fatal(err)
			}
			known, err := (&pin.Policy{Lock: s.Lock}).Known(binary)
			if err != nil {
				t.Fatal(err)
			}
			changed := known.Version != "2.0.0"
			if changed != (step > 0) {
				t.Errorf("%s cut short at %d: version %s", command, step, known.Version)
			}
			// A rollback restores the version before it.
			back, err := s.Rollback(t.Context(), "acme")
			want := "1.0.0"
			if changed {
				want = "2.0.0"
			}
			if err != nil || back.Pin.Version != want {
				t.Errorf("%s cut short at %d: Rollback restored version %s, %v; want %s", command, step, back.Pin.Version, err, want)
				continue
			}
			s.runs(t, want)
			if left, _ := filepath.Glob(filepath.Join(s.Dir, ".previous", "*")); len(left) != 1 {
				t.Errorf("%s cut short at %d: kept %q", command, step, left)
			}
		}
	}
}

// TestKilledInstalling kills processes that install and roll back, at random moments.
func TestKilledInstalling(t *testing.T) {
	if dir := os.Getenv("ZEN_TEST_INSTALL"); dir != "" {
		s := &Store{Dir: filepath.Join(dir, "providers"), Lock: pin.NewLock(filepath.Join(dir, "zen.lock"))}
		for n := 0; ; n++ {
			if _, err := s.Install(context.Background(), Request{Source: filepath.Join(dir, []string{"1", "2"}[n%2], acme), Force: true}); err != nil {
				panic(err)
			}
			for range 20 {
				if _, err := s.Rollback(context.Background(), "acme"); err != nil {
					panic(err)
				}
			}
		}
	}
	dir := t.TempDir()
	for _, version := range []string{"1", "2"} {
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, program(t, version+".0.0"), dir, version, acme)
	}
	s := &Store{Dir: filepath.Join(dir, "providers"), Lock: pin.NewLock(filepath.Join(dir, "zen.lock"))}
	for _, version := range []string{"1", "2"} {
		if _, err := s.Install(t.Context(), Request{Source: filepath.Join(dir, version, acme)}); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]int{}
	for range 15 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledInstalling$")
		cmd.Env = append(os.Environ(), "ZEN_TEST_INSTALL="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		testwait.Moment(t.Context(), 50*time.Millisecond, 350*time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		seen[s.trusted(t)]++
		if _, err := s.Rollback(t.Context(), "acme"); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("found %v", seen)
}
