//go:build cgo && linux && (amd64 || arm64)

package soak_test

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core"
	"github.com/zen-auth/zen/internal/testwait"
)

// stock is what a process holds at one time.
type stock struct {
	goroutines  int
	descriptors []string
}

// takeStock counts before the test, after go-libsql and package net have made what they make
// once and keep.
func takeStock(t *testing.T) stock {
	t.Helper()
	db, err := core.Open(t.Context(), core.Database{Target: ":memory:"})
	must(t, err)
	must(t, db.Ping())
	must(t, db.Close())
	return count()
}

func count() stock {
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	return stock{runtime.NumGoroutine(), descriptors()}
}

// descriptors lists the file descriptors of this process, with their targets.
func descriptors() (open []string) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil { // ReadDir's own is closed already
			open = append(open, e.Name()+" "+to)
		}
	}
	return open
}

// files lists everything in a directory and below.
func files(dir string) (names []string) {
	_ = filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		if err == nil {
			names = append(names, name)
		}
		return err
	})
	return names
}

// compare waits until there is no more than before, and fails the test otherwise.
func (before stock) compare(t *testing.T, empty []string) {
	t.Helper()
	var now stock
	var left []int
	_ = testwait.Done(t.Context(), func() bool { // differences are reported below
		now, left = count(), children()
		return now.goroutines <= before.goroutines && len(now.descriptors) <= len(before.descriptors) && len(left) == 0
	})
	if now.goroutines > before.goroutines {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines, %d before:\n%s", now.goroutines, before.goroutines, stacks[:runtime.Stack(stacks, true)])
	}
	if len(now.descriptors) > len(before.descriptors) {
		t.Errorf("descriptors %q\nbefore %q", now.descriptors, before.descriptors)
	}
	if len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
	for _, dir := range empty {
		if left := files(dir); len(left) != 1 {
			t.Errorf("left in a directory for temporary files: %q", left)
		}
	}
	var heap runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&heap)
	t.Logf("after: %d goroutines, %d descriptors, a heap of %d kB", now.goroutines, len(now.descriptors), heap.HeapAlloc>>10)
}

// children returns this process's child processes that it hasn't waited for yet. Under load
// they are providers.
func children() (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// proc_pid_stat(5): pid (comm) state ppid; comm may contain any character.
		fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
		if fields[1] == strconv.Itoa(os.Getpid()) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			pids = append(pids, pid)
		}
	}
	return pids
}
