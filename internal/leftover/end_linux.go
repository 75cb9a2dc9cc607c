package leftover

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Mark marks a newly started process, and everything that it starts, as belonging to a
// directory. The environment marks them, too, but a program may remove a variable, or hide
// its environment from others (ssh-agent). A resource limit is also inherited, and can't be
// raised again.
//
// The limit is RLIMIT_RTTIME, the CPU time of a process with a real-time policy. Its value
// encodes the directory and is over a hundred thousand years, so it limits nothing.
func Mark(pid int, dir string) {
	limit := number(dir)
	_ = unix.Prlimit(pid, unix.RLIMIT_RTTIME, &unix.Rlimit{Cur: limit, Max: limit}, nil)
}

// number encodes a directory, whose name is random.
func number(dir string) uint64 {
	sum := sha256.Sum256([]byte(dir))
	return 1<<62 | binary.BigEndian.Uint64(sum[:])>>2
}

// maxEnviron limits how much of a process's environment is read.
const maxEnviron = 256 << 10

// passes is the number of searches for processes that were started in the meantime.
const passes = 3

// End kills the processes that a provider started and that left its process group. They are
// found by the marks that they inherited from Mark. dir belongs to a provider that has ended,
// or whose host was killed.
//
// It can't kill another user's process, or find one whose marks were all removed.
func End(dir string) {
	l := looking{environ: []byte(variable + "=" + dir), limit: number(dir), buf: make([]byte, maxEnviron)}
	for range passes {
		if !l.pass() {
			return
		}
	}
}

type looking struct {
	environ []byte
	limit   uint64
	buf     []byte
}

// pass kills the marked processes that exist now, and reports whether there were any.
func (l looking) pass() (found bool) {
	proc, err := os.Open("/proc")
	if err != nil {
		return false
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1)
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == os.Getpid() || !l.marked(pid) {
			continue
		}
		// The descriptor ensures that the PID still means the same process.
		process, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			continue
		}
		if l.marked(pid) && unix.PidfdSendSignal(process, unix.SIGKILL, nil, 0) == nil {
			found = true
		}
		_ = unix.Close(process)
	}
	return found
}

// marked reports whether a process has one of the marks.
func (l looking) marked(pid int) bool {
	var limit unix.Rlimit
	if unix.Prlimit(pid, unix.RLIMIT_RTTIME, nil, &limit) == nil && limit.Max == l.limit {
		return true
	}
	return l.inEnviron(l.readEnviron(pid))
}

// readEnviron reads a process's environment. It uses plain system calls, since hundreds of
// processes may be read whenever a provider ends.
func (l looking) readEnviron(pid int) []byte {
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/environ", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	n := 0
	for n < len(l.buf) {
		read, err := unix.Read(fd, l.buf[n:])
		if err != nil || read <= 0 {
			break
		}
		n += read
	}
	return l.buf[:n]
}

// inEnviron reports whether one of the variables is the mark.
func (l looking) inEnviron(environ []byte) bool {
	for {
		at := bytes.Index(environ, l.environ)
		if at < 0 {
			return false
		}
		end := at + len(l.environ)
		if (at == 0 || environ[at-1] == 0) && (end == len(environ) || environ[end] == 0) {
			return true
		}
		environ = environ[end:]
	}
}
