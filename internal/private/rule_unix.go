//go:build unix

package private

import (
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

func open(path string, flag int, links bool) (*os.File, error) {
	if !links {
		flag |= syscall.O_NOFOLLOW
	}
	return os.OpenFile(path, flag|syscall.O_NONBLOCK, 0o600)
}

// Check looks at an opened file or directory.
func (r Rule) Check(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return r.CheckInfo(info)
}

// CheckInfo is Check for what was not opened: owner and mode alone, of whatever it is.
func (r Rule) CheckInfo(info fs.FileInfo) error {
	fault := &Fault{Mode: info.Mode()}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if ok && int(stat.Uid) != os.Geteuid() && !(r.Root && stat.Uid == 0) {
		fault.Foreign, fault.Owner = true, strconv.FormatUint(uint64(stat.Uid), 10)
		return fault
	}
	open := info.Mode().Perm() & r.Closed
	fault.Writable, fault.Readable = open&0o022 != 0, open&0o055 != 0
	if open != 0 {
		return fault
	}
	return nil
}

// Closed says how a file of Replace is closed to others, for people.
const Closed = "mode 0600"

// Closing returns the command that closes a file or a directory to others.
func (f *Fault) Closing(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@%:,") != "" {
		path = "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	if f.Mode.IsDir() {
		return "chmod 700 " + path
	}
	return "chmod 600 " + path
}

// Owned reports whether a file is this user's own.
func Owned(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
