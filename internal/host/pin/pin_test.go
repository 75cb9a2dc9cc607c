package pin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/host"
)

func binary(name, sum string) host.Binary {
	return host.Binary{Name: name, Path: "/bin/" + name, SHA256: strings.Repeat(sum, 64), Size: 7}
}

func newLock(t *testing.T) *Lock {
	t.Helper()
	return NewLock(filepath.Join(t.TempDir(), "state", "zen.lock"))
}

func TestPolicy(t *testing.T) {
	p := &Policy{Bundled: map[string]string{"clerk": strings.Repeat("a", 64)}, Lock: newLock(t)}
	if err := p.Lock.Set(t.Context(), binary("acme", "b"), Pin{Known: Local}); err != nil {
		t.Fatal(err)
	}
	var unknown *UnknownError
	var changed *ChangedError
	for _, test := range []struct {
		binary host.Binary
		known  string
		as     any
	}{
		{binary("clerk", "a"), Bundled, nil},
		{binary("clerk", "b"), "", &changed},
		{binary("acme", "b"), Local, nil},
		{binary("acme", "a"), "", &changed}, // the checksum of another provider
		{binary("new", "a"), "", &unknown},
	} {
		known, err := p.Known(test.binary)
		if known.Known != test.known || (err == nil) != (test.as == nil) {
			t.Errorf("Known(%v) = %+v, %v", test.binary, known, err)
		}
		if test.as != nil && (!errors.As(err, test.as) || !errors.Is(err, provider.ErrNoProvider) || provider.Hint(err) == "") {
			t.Errorf("Known(%v): wrong error %T %v", test.binary, err, err)
		}
	}
}

func TestASumIsForOnePlatform(t *testing.T) {
	p := &Policy{Lock: newLock(t)}
	err := p.Lock.Update(t.Context(), func(pins map[string]Pin) error {
		pins["acme"] = Pin{Known: Local, Platforms: map[string]Sum{"plan9_mips": {SHA256: strings.Repeat("a", 64)}}}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var unknown *UnknownError
	if _, err := p.Known(binary("acme", "a")); !errors.As(err, &unknown) {
		t.Errorf("Known on another platform: %v, want UnknownError", err)
	}
	if err := p.Lock.Set(t.Context(), binary("acme", "a"), Pin{Known: Local}); err != nil {
		t.Fatal(err)
	}
	pins, err := p.Lock.Load()
	if err != nil || len(pins["acme"].Platforms) != 2 {
		t.Errorf("Load = %+v, %v, want two platforms", pins, err)
	}
}

func TestTheVersionIsLearnedAtTheFirstStart(t *testing.T) {
	p := &Policy{Bundled: map[string]string{"clerk": strings.Repeat("a", 64)}, Lock: newLock(t)}
	err := p.Lock.Update(t.Context(), func(pins map[string]Pin) error {
		pins["acme"] = Pin{Source: "/bin/acme", Known: Local, Platforms: map[string]Sum{"plan9_mips": {SHA256: strings.Repeat("c", 64)}}}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Lock.Set(t.Context(), binary("acme", "a"), Pin{Source: "/bin/acme", Known: Local}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		binary  host.Binary
		version string
		ok      bool
	}{
		{binary("acme", "b"), "6.6.6", false}, // another binary
		{binary("acme", "a"), "1.2.0", true},
		{binary("acme", "a"), "1.3.0", true}, // already learned
		{binary("clerk", "a"), "1.0.0", true},
	} {
		if err := p.Learn(t.Context(), step.binary, step.version); (err == nil) != step.ok {
			t.Errorf("Learn(%v): %v", step, err)
		}
	}
	pins, err := p.Lock.Load()
	if err != nil || len(pins) != 1 || pins["acme"].Version != "1.2.0" {
		t.Fatalf("Load = %+v, %v, want one pin with version 1.2.0", pins, err)
	}
	// Pinning again clears the version, and the other platform's checksum stays.
	if err := p.Lock.Set(t.Context(), binary("acme", "b"), Pin{Source: "/bin/acme", Known: Local}); err != nil {
		t.Fatal(err)
	}
	if pins, err = p.Lock.Load(); err != nil || pins["acme"].Version != "" || len(pins["acme"].Platforms) != 2 {
		t.Errorf("Load = %+v, %v, want no version and two platforms", pins, err)
	}
}

// The version of a copy is learned, too, and never written again.
func TestTheVersionOfACopyIsLearnedOnce(t *testing.T) {
	p := &Policy{Lock: newLock(t)}
	copied := binary("acme", "a")
	if err := p.Lock.SetCopy(t.Context(), copied, Pin{Source: "/bin/acme", Known: Local}); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"1.2.0", "1.3.0"} {
		if err := p.Learn(t.Context(), copied, version); err != nil {
			t.Fatal(err)
		}
		if got, ok, err := p.Lock.CopyAt(copied.Name, copied.Path); err != nil || !ok || got.Version != "1.2.0" {
			t.Errorf("CopyAt = %+v, %v, %v, want version 1.2.0", got, ok, err)
		}
	}
}

func TestFirstUseAsksOnceAndAChangeNever(t *testing.T) {
	asked := 0
	answer := false
	p := &Policy{Lock: newLock(t), Ask: func(context.Context, host.Binary) (bool, error) { asked++; return answer, nil }}
	var unknown *UnknownError
	if err := p.Trust(t.Context(), binary("acme", "a")); !errors.As(err, &unknown) || asked != 1 {
		t.Fatalf("after a no: %v", err)
	}
	answer = true
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if err := p.Trust(t.Context(), binary("acme", "a")); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
	var changed *ChangedError
	if err := p.Trust(t.Context(), binary("acme", "b")); !errors.As(err, &changed) || asked != 2 {
		t.Errorf("a changed binary: %v, asked %d times", err, asked)
	}
}

func TestUpdatesDontLoseEachOther(t *testing.T) {
	lock := newLock(t)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() { // each with its own Lock, as in separate processes
			if err := NewLock(lock.Path()).Set(t.Context(), binary(fmt.Sprint("p", i), "a"), Pin{Known: Local}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	pins, err := lock.Load()
	if err != nil || len(pins) != 8 {
		t.Errorf("%d pins, %v", len(pins), err)
	}
	failure := errors.New("no")
	if err := lock.Update(t.Context(), func(pins map[string]Pin) error { clear(pins); return failure }); !errors.Is(err, failure) {
		t.Errorf("Update = %v, want its function's error", err)
	}
	if pins, _ := lock.Load(); len(pins) != 8 {
		t.Error("a failed update changed the file")
	}
}

func TestLockFilesThatPinNothing(t *testing.T) {
	good := "version = 1\n[providers.acme]\nsource = ''\nknown = 'local'\n[providers.acme.platforms." + Platform() +
		"]\nsha256 = '" + strings.Repeat("a", 64) + "'\nsize = 7\n"
	for name, test := range map[string]struct {
		data string
		mode os.FileMode
		ok   bool
	}{
		"good":       {good, 0o600, true},
		"readable":   {good, 0o644, true},
		"writable":   {good, 0o666, false},
		"newer":      {strings.Replace(good, "= 1", "= 2", 1), 0o600, false},
		"no version": {strings.Replace(good, "version = 1", "", 1), 0o600, false},
		"unknown":    {good + "trust_all = true\n", 0o600, false},
		"broken":     {"version = ", 0o600, false},
		"huge":       {good + "#" + strings.Repeat("x", maxFile), 0o600, false},
	} {
		if runtime.GOOS == "windows" && name == "writable" {
			continue
		}
		lock := NewLock(filepath.Join(t.TempDir(), "zen.lock"))
		if err := os.WriteFile(lock.Path(), []byte(test.data), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(lock.Path(), test.mode); err != nil {
			t.Fatal(err)
		}
		p := &Policy{Lock: lock}
		if err := p.Trust(t.Context(), binary("acme", "a")); (err == nil) != test.ok {
			t.Errorf("%s: Trust: %v", name, err)
		}
	}
}
