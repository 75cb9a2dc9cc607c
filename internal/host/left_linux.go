package host

import (
	"bytes"
	"os"
	"strconv"

	goplugin "github.com/hashicorp/go-plugin"
	"golang.org/x/sys/unix"
)

// maxEnviron is how much of a process's environment is looked at.
const maxEnviron = 256 << 10

// endLeft kills the processes that a provider started and that left its group. They are
// known by what they inherited: the variable that names the provider's socket directory,
// which is no other's. dir is of a provider that has ended, or whose host was killed.
//
// One that takes the variable out of its environment isn't found, nor one that isn't
// dumpable, or another user's.
func endLeft(dir string) {
	proc, err := os.Open("/proc")
	if err != nil {
		return
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1)
	mark := []byte(goplugin.EnvUnixSocketDir + "=" + dir)
	buf := make([]byte, maxEnviron)
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == os.Getpid() || !marked(name, mark, buf) {
			continue
		}
		// The descriptor keeps the number from being another's by then.
		process, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			continue
		}
		if marked(name, mark, buf) {
			_ = unix.PidfdSendSignal(process, unix.SIGKILL, nil, 0)
		}
		_ = unix.Close(process)
	}
}

// marked reports whether a variable in a process's environment is mark. There may be
// hundreds of processes at every end of a provider, hence the plain calls.
func marked(pid string, mark, buf []byte) bool {
	fd, err := unix.Open("/proc/"+pid+"/environ", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	n := 0
	for n < len(buf) {
		read, err := unix.Read(fd, buf[n:])
		if err != nil || read <= 0 {
			break
		}
		n += read
	}
	for environ := buf[:n]; ; {
		at := bytes.Index(environ, mark)
		if at < 0 {
			return false
		}
		end := at + len(mark)
		if (at == 0 || environ[at-1] == 0) && (end == len(environ) || environ[end] == 0) {
			return true
		}
		environ = environ[end:]
	}
}
