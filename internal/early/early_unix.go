//go:build !windows

package early

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Child is a process that makes a renewal, and answers how it went.
type Child struct {
	pid         int
	answers     *os.File
	startedWith string
	// status is how it ended, if that is known.
	status *unix.WaitStatus
	// interrupts has the signals that came since the start; interrupt is one of them, which this
	// process has not obeyed.
	interrupts chan os.Signal
	interrupt  syscall.Signal
}

// atOnce is what an empty pipe takes without waiting for its reader, on every system.
const atOnce = 4096

// Start starts the program with args in a session of its own, with an entry more than this
// process's environment has, and with its whole request. It returns nil where that can't be.
func Start(program, entry string, args []string, request []byte) *Child {
	if len(request) > atOnce {
		return nil
	}
	requests, toChild, err := os.Pipe()
	if err != nil {
		return nil
	}
	defer requests.Close()
	_, err = toChild.Write(request)
	if err = errors.Join(err, toChild.Close()); err != nil {
		return nil
	}
	answers, fromChild, err := os.Pipe()
	if err != nil {
		return nil
	}
	defer fromChild.Close()
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	name, _, _ := strings.Cut(entry, "=")
	environ := slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, name+"=") }) // of two the first counts
	pid, err := syscall.ForkExec(program, append([]string{program}, args...), &syscall.ProcAttr{
		Env: append(environ, entry), Files: []uintptr{requests.Fd(), fromChild.Fd(), os.Stderr.Fd()},
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		signal.Stop(interrupts)
		_ = answers.Close()
		return nil
	}
	return &Child{pid: pid, answers: answers, startedWith: startedWith(entry, args, request), interrupts: interrupts}
}

// Answered waits for the answer, or the end of the child without one, at most for timeout, and
// reports whether it is there. Nothing of it is read. It is called once. An interrupt since the
// start ends the wait, and is left to the program that HandOver is for: that has a message and
// an exit code for it.
func (c *Child) Answered(timeout time.Duration) bool {
	_ = c.answers.SetReadDeadline(time.Now().Add(timeout))
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		if s, ok := <-c.interrupts; ok {
			c.interrupt = s.(syscall.Signal)
			_ = c.answers.SetReadDeadline(time.Now())
		}
	}()
	raw, err := c.answers.SyscallConn()
	if err == nil {
		err = raw.Read(func(fd uintptr) bool {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
			return err == nil && n > 0
		})
	}
	signal.Stop(c.interrupts)
	close(c.interrupts)
	<-stopped
	return err == nil && c.interrupt == 0
}

// endTimeout limits how long the end of a child is waited for that has answered.
const endTimeout = 5 * time.Second

// End waits for the end of a child whose answer isn't needed: what follows has no child that
// it doesn't know. A nil Child has ended.
func (c *Child) End() {
	if c == nil {
		return
	}
	_ = c.answers.SetReadDeadline(time.Now().Add(endTimeout))
	if _, err := io.Copy(io.Discard, c.answers); err == nil { // only the child has the other end
		_ = c.wait()
	}
	_ = c.answers.Close()
}

// HandOver leaves the child, and an interrupt, to the program that this process becomes, which
// has its descriptors and its children.
func (c *Child) HandOver() {
	raw, err := c.answers.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		// What is duplicated has no finaliser, and is not closed at the exec.
		if r, err := unix.Dup(int(fd)); err == nil {
			_ = os.Setenv(variable, fmt.Sprintf("%d %d %d\n%s", c.pid, r, c.interrupt, c.startedWith))
		}
	})
}

// taken is the child of this process from before it became this program, until somebody asks
// for its answer.
var taken atomic.Pointer[Child]

// Take takes the child that this process has from before it became this program, and sends
// itself the interrupt that came then. It comes first of all but what awaits interrupts, so that
// nothing is started that would inherit a descriptor or the variable.
func Take() {
	text, ok := os.LookupEnv(variable)
	if !ok {
		return
	}
	_ = os.Unsetenv(variable)
	first, with, _ := strings.Cut(text, "\n")
	var pid, r int
	var interrupt syscall.Signal
	if n, err := fmt.Sscanf(first, "%d %d %d", &pid, &r, &interrupt); n != 3 || err != nil || pid <= 1 || !isPipe(r) {
		return
	}
	unix.CloseOnExec(r)
	c := &Child{pid: pid, answers: os.NewFile(uintptr(r), "answers"), startedWith: with}
	var status unix.WaitStatus
	switch ended, err := unix.Wait4(pid, &status, unix.WNOHANG, nil); {
	case err != nil:
		_ = c.answers.Close() // it is another's child
		return
	case ended != 0:
		c.status = &status
	}
	taken.Store(c)
	_ = syscall.Kill(os.Getpid(), interrupt) // which may be 0: that is none
}

// isPipe reports whether a descriptor above the three of every program is the end of a pipe
// that is read.
func isPipe(fd int) bool {
	var stat unix.Stat_t
	if fd < 3 || fd > 1<<16 || unix.Fstat(fd, &stat) != nil || stat.Mode&unix.S_IFMT != unix.S_IFIFO {
		return false
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_ACCMODE == unix.O_RDONLY
}

// Answer returns what the child says that was started with this entry, args and request, if
// there is one; ended waits for its end, after which no one reads that any more.
func Answer(entry string, args []string, request []byte) (answer io.Reader, ended func() error, ok bool) {
	c := taken.Load()
	if c == nil || c.startedWith != startedWith(entry, args, request) || !taken.CompareAndSwap(c, nil) {
		return nil, nil, false
	}
	return c.answers, func() error {
		defer c.answers.Close()
		return c.wait()
	}, true
}

// End waits for the end of the child that was taken, if nobody has asked for its answer: the
// command that this process may become has no child that it doesn't know.
func End() { taken.Swap(nil).End() }

// wait waits for the end of the child, and returns an error where it went wrong.
func (c *Child) wait() error {
	for c.status == nil {
		var status unix.WaitStatus
		switch _, err := unix.Wait4(c.pid, &status, 0, nil); {
		case err == unix.EINTR:
		case err != nil:
			return err
		default:
			c.status = &status
		}
	}
	if *c.status != 0 {
		return fmt.Errorf("exit status %d, signal %d", c.status.ExitStatus(), c.status.Signal())
	}
	return nil
}
