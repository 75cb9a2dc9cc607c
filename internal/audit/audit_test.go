package audit

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/provider"
)

func read(t *testing.T, path string) []Event {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var events []Event
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var e Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%s: line %d: %v", path, len(events)+1, err)
		}
		events = append(events, e)
	}
	return events
}

func newLog(t *testing.T, path string) *Log {
	l := New(path, func(err error) { t.Errorf("warning: %v", err) })
	l.now = func() time.Time { return time.Date(2026, 1, 3, 3, 33, 0, 0, time.FixedZone("", 3600)) }
	return l
}

func TestEventIsOneLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "audit.log")
	l := newLog(t, path)
	e := Event{
		Kind: Refresh, Profile: "default", Provider: "clerk", Subject: "alice\nand bob", Database: "app-acme.turso.io",
		Outcome: Outcome(nil), TokenExpires: l.now(),
	}
	l.Write(e)
	l.Write(Event{Kind: SignIn, Subject: strings.Repeat("ü", 1000), Outcome: Outcome(provider.ErrRejected)})
	got := read(t, path)
	e.Time, e.PID, e.TokenExpires = l.now().UTC(), os.Getpid(), l.now().UTC()
	if len(got) != 2 || cmp.Diff(e, got[0]) != "" || len(got[1].Subject) > maxText+3 || got[1].Outcome != "rejected by the server" {
		t.Errorf("the log has %+v", got)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	var nobody *Log
	nobody.Write(e)
}

// Many writers, each with a Log of its own as in separate processes, write over several
// rotations: every line is intact, none is doubled, and the remaining files have the latest
// lines.
func TestManyWritersAndRotations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	const writers, each = 8, 1500
	var wait sync.WaitGroup
	for w := range writers {
		l := newLog(t, path)
		wait.Go(func() {
			for n := range each {
				l.Write(Event{Kind: Refused, Profile: fmt.Sprintf("%d/%d", w, n), Subject: strings.Repeat("s", 250), Outcome: "ok"})
			}
		})
	}
	wait.Wait()
	seen := map[string]bool{}
	for n := range kept + 1 {
		name := newLog(t, path).name(n)
		if info, err := os.Stat(name); err != nil || info.Size() > maxSize+maxSize/4 {
			t.Errorf("size %v, %v", info.Size(), err)
		}
		for _, e := range read(t, name) {
			if seen[e.Profile] {
				t.Errorf("%s was logged twice", e.Profile)
			}
			seen[e.Profile] = true
		}
	}
	if len(seen) < writers*each/2 {
		t.Errorf("%d events are left, want at least half", len(seen))
	}
	if _, err := os.Stat(newLog(t, path).name(kept + 1)); err == nil {
		t.Error("too many files are kept")
	}
}

func TestBadLogIsReportedOnce(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs modes and symbolic links of Unix")
	}
	for name, test := range map[string]struct {
		prepare func(path string) error
		want    string
	}{
		"a directory":   {func(path string) error { return os.Mkdir(path, 0o700) }, "is a directory"},
		"read by all":   {func(path string) error { return os.WriteFile(path, nil, 0o644) }, "chmod 600"},
		"symbolic link": {func(path string) error { return os.Symlink("elsewhere", path) }, "symbolic link"},
		"no directory":  {func(path string) error { return os.WriteFile(filepath.Dir(path), nil, 0o600) }, "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "audit.log")
			if name == "no directory" {
				path = filepath.Join(dir, "file", "audit.log")
			}
			if err := test.prepare(path); err != nil {
				t.Fatal(err)
			}
			var told []error
			l := New(path, func(err error) { told = append(told, err) })
			l.Write(Event{Kind: SignIn})
			l.Write(Event{Kind: SignIn})
			if len(told) != 1 || !strings.Contains(told[0].Error(), test.want) {
				t.Errorf("warnings %v, want one with %q", told, test.want)
			}
		})
	}
}

func TestOutcomeHasNoForeignText(t *testing.T) {
	err := &provider.Error{Kind: provider.ErrUnavailable, Message: "eyJsecret"}
	if got := Outcome(fmt.Errorf("x: %w", err)); got != "unavailable" {
		t.Error(got)
	}
	if got := Outcome(errors.New("eyJsecret")); got != "failed" {
		t.Error(got)
	}
}
