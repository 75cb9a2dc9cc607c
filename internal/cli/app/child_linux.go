package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// orphanGrace limits how long what a command left behind may take to end by itself.
const orphanGrace = 3 * time.Second

// adoptOrphans makes zen the parent of processes whose own parent ends. Where a kernel is
// imitated that can't (by QEMU), what a command leaves running stays, as on other systems.
func adoptOrphans() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// endOrphans ends what a command left running: a server that a script put into
// the background, say. What left the session, as a daemon does, wants to stay.
func endOrphans() {
	own, err := unix.Getsid(0)
	if err != nil {
		return
	}
	signal, deadline := syscall.SIGTERM, time.Now().Add(orphanGrace)
	for told := map[int]syscall.Signal{}; ; time.Sleep(5 * time.Millisecond) {
		left := 0
		for _, pid := range children(os.Getpid()) {
			// One that has ended is collected here: no one else waits for it.
			if collected, _ := syscall.Wait4(pid, nil, syscall.WNOHANG, nil); collected == pid {
				continue
			}
			if session, err := unix.Getsid(pid); err != nil || session != own {
				continue
			}
			left++
			if told[pid] != signal {
				told[pid] = signal
				_ = syscall.Kill(pid, signal) // it may just have ended
			}
		}
		switch late := time.Now().After(deadline); {
		case left == 0, late && signal == syscall.SIGKILL:
			return
		case late:
			signal, deadline = syscall.SIGKILL, time.Now().Add(orphanGrace)
		}
	}
}

// children lists the processes whose parent is pid (proc(5), /proc/PID/stat).
func children(pid int) []int {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	var list []int
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// PID (NAME) STATE PPID …, where NAME may hold anything.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) < 2 || string(fields[1]) != strconv.Itoa(pid) {
			continue
		}
		if child, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			list = append(list, child)
		}
	}
	return list
}
