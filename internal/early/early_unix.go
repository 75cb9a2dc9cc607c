//go:build !windows

package early

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Start starts the program with args in a session of its own, with an entry more than this
// process's environment has, for the program that this process becomes: that one has its
// descriptors and its children. The child ends when nobody has the pipe that it reads, so
// that it has to be the only one whose descriptors are open at an exec, and it is started
// before they are.
func Start(program, entry string, args []string) {
	_ = os.Unsetenv(variable)
	requests, toChild, err := os.Pipe()
	if err != nil {
		return
	}
	defer requests.Close()
	fromChild, answers, err := os.Pipe()
	if err != nil {
		_ = toChild.Close()
		return
	}
	defer answers.Close()
	name, _, _ := strings.Cut(entry, "=")
	environ := slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, name+"=") }) // of two the first counts
	pid, err := syscall.ForkExec(program, append([]string{program}, args...), &syscall.ProcAttr{
		Env: append(environ, entry), Files: []uintptr{requests.Fd(), answers.Fd(), os.Stderr.Fd()},
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		_, _ = toChild.Close(), fromChild.Close()
		return
	}
	// What is duplicated has no finaliser, and is not closed at the exec.
	w, errW := unix.Dup(int(toChild.Fd()))
	r, errR := unix.Dup(int(fromChild.Fd()))
	_, _ = toChild.Close(), fromChild.Close()
	if cmp.Or(errW, errR) != nil {
		_, _ = unix.Close(w), unix.Close(r) // one of them may be there
		(&child{pid: pid}).kill()
		return
	}
	_ = os.Setenv(variable, fmt.Sprintf("%d %d %d\n%s", pid, w, r, startedWith(entry, args)))
}

// child waits for a request.
type child struct {
	pid               int
	requests, answers *os.File
	startedWith       string
}

// waiting is the child of this process that waits, until it is asked or ended.
var waiting atomic.Pointer[child]

// Take takes the child that this process has from before it became this program. It comes
// first of all, so that nothing is started that would inherit a descriptor or the variable.
func Take() {
	text, ok := os.LookupEnv(variable)
	if !ok {
		return
	}
	_ = os.Unsetenv(variable)
	first, with, _ := strings.Cut(text, "\n")
	var pid, w, r int
	if n, err := fmt.Sscanf(first, "%d %d %d", &pid, &w, &r); n != 3 || err != nil || pid <= 1 || !isPipe(w, unix.O_WRONLY) || !isPipe(r, unix.O_RDONLY) {
		return
	}
	unix.CloseOnExec(w)
	unix.CloseOnExec(r)
	c := &child{pid: pid, requests: os.NewFile(uintptr(w), "requests"), answers: os.NewFile(uintptr(r), "answers"), startedWith: with}
	if ended, err := unix.Wait4(pid, nil, unix.WNOHANG, nil); ended != 0 || err != nil {
		c.close() // it is another's child, or has ended
		return
	}
	waiting.Store(c)
}

// isPipe reports whether a descriptor above the three of every program is an end of a pipe.
func isPipe(fd, mode int) bool {
	var stat unix.Stat_t
	if fd < 3 || fd > 1<<16 || unix.Fstat(fd, &stat) != nil || stat.Mode&unix.S_IFMT != unix.S_IFIFO {
		return false
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_ACCMODE == mode
}

// Ask sends the child its request, if one waits that was started with this entry and args.
// answer is what it says; ended waits for its end, after which no one reads that any more.
func Ask(entry string, args []string, request []byte) (answer io.Reader, ended func() error, ok bool) {
	c := waiting.Load()
	if c == nil || c.startedWith != startedWith(entry, args) || len(request) > atOnce || !waiting.CompareAndSwap(c, nil) {
		return nil, nil, false
	}
	if _, err := c.requests.Write(request); err != nil {
		c.end()
		return nil, nil, false
	}
	_ = c.requests.Close()
	return c.answers, func() error {
		defer c.answers.Close()
		return c.wait()
	}, true
}

// atOnce is what an empty pipe takes without waiting for its reader, on every system.
const atOnce = 4096

// End ends the child that nobody has asked, if there is one, and waits for that.
func End() {
	if c := waiting.Swap(nil); c != nil {
		c.end()
	}
}

func (c *child) end() {
	c.close()
	c.kill()
}

// kill ends a child that has read no request.
func (c *child) kill() {
	_ = unix.Kill(c.pid, unix.SIGKILL)
	_ = c.wait()
}

// wait waits for the end of the child, and returns an error where it went wrong.
func (c *child) wait() error {
	for {
		var status unix.WaitStatus
		switch _, err := unix.Wait4(c.pid, &status, 0, nil); {
		case err == unix.EINTR:
		case err != nil:
			return err
		case status != 0:
			return fmt.Errorf("exit status %d, signal %d", status.ExitStatus(), status.Signal())
		default:
			return nil
		}
	}
}

func (c *child) close() { _, _ = c.requests.Close(), c.answers.Close() }
