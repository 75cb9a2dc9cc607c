package host

import (
	"errors"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"
)

// from makes cmd run the opened file itself, whatever is at its path by now. The
// process gets the descriptor too: the interpreter of a script opens it again.
func (p *program) from(cmd *exec.Cmd) {
	cmd.Path = "/proc/self/fd/3"
	cmd.ExtraFiles = []*os.File{p.File}
}

// Close gives the lease back, which the process's copy of the descriptor would hold.
func (p *program) Close() error {
	letGo(p.File)
	return p.File.Close()
}

// letGo gives a lease back; a writer that waits for that goes on.
func letGo(f *os.File) {
	if conn, err := f.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_UNLCK) })
	}
}

// heldStill reports whether the lease is held and no writer waits: no one has written
// since holdStill.
func heldStill(f *os.File) bool {
	conn, err := f.SyscallConn()
	if err != nil {
		return false
	}
	lease := unix.F_UNLCK
	err = conn.Control(func(fd uintptr) {
		if held, err := unix.FcntlInt(fd, unix.F_GETLEASE, 0); err == nil {
			lease = held
		}
	})
	return err == nil && lease == unix.F_RDLCK
}

// holdStill takes a lease: as long as f is open, a program that opens the file for writing
// waits (fcntl(2), F_SETLEASE), and once it runs, the system refuses it. The reason
// why that can't be is "" also for files of others and on file systems that know no
// leases: who may write to the former is checked, the latter is as on other
// systems.
func holdStill(f *os.File) (reason string) {
	conn, err := f.SyscallConn()
	if err != nil {
		return "it can't be read"
	}
	// A writer may be the copy of a descriptor in a process that is about to start
	// another program (golang/go#22315), and gone in a moment.
	for range 200 { // a second
		var lease error
		err = conn.Control(func(fd uintptr) { _, lease = unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_RDLCK) })
		if err != nil || !errors.Is(lease, unix.EAGAIN) {
			return ""
		}
		time.Sleep(5 * time.Millisecond)
	}
	return "it is being written to"
}
