// Package private is about files and directories that are this user's alone: who may
// have read or written one, how one is replaced in one step, and how what a killed
// process left of it goes away.
package private

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// Rule says who may have had a file in hand.
type Rule struct {
	// Root lets the file belong to root, too.
	Root bool
	// Closed are the permission bits that have to be clear: those of others.
	Closed fs.FileMode
	// Links has symbolic links followed: what they lead to is looked at.
	Links bool
}

var (
	// Own is for files that only this user may have written.
	Own = Rule{Closed: 0o022}
	// Secret is for files with secrets in them: no one else reads or writes them.
	Secret = Rule{Closed: 0o077}
	// Trusted is for files that decide something: only this user and root may have
	// written them.
	Trusted = Rule{Root: true, Closed: 0o022}
)

// What is wrong with a file, for errors.Is.
var (
	ErrIrregular = errors.New("not a regular file")
	ErrForeign   = errors.New("of another user")
	ErrOpen      = errors.New("open to others")
)

// Fault is a file that breaks a Rule: ErrIrregular, ErrForeign or ErrOpen. Its text
// continues the name of the file.
type Fault struct {
	// Mode is the file's type and its permissions.
	Mode fs.FileMode
	// Foreign says that Owner has it, who is neither this user nor allowed by the Rule.
	Foreign bool
	// Owner is a user id, or the name of an account on Windows. There it is also who may
	// read or write.
	Owner string
	// Readable and Writable say what others may do.
	Readable, Writable bool
}

// Error implements error.
func (f *Fault) Error() string {
	switch {
	case !f.Mode.IsRegular() && !f.Mode.IsDir():
		return fmt.Sprintf("it is a %s, not a regular file", Kind(f.Mode))
	case f.Foreign:
		return fmt.Sprintf("it belongs to user %s, not to you", f.Owner)
	case f.Writable:
		return "others may write to it (" + f.Rights() + ")"
	case f.Readable:
		return "others can read it (" + f.Rights() + ")"
	}
	return fmt.Sprintf("it is a %s, not a regular file", Kind(f.Mode))
}

// Rights says what lets others in.
func (f *Fault) Rights() string {
	if f.Owner != "" {
		return "by its access list " + f.Owner
	}
	return fmt.Sprintf("mode %04o", f.Mode.Perm())
}

// Is implements errors.Is.
func (f *Fault) Is(target error) bool {
	switch target {
	case ErrForeign:
		return f.Foreign
	case ErrOpen:
		return !f.Foreign && (f.Readable || f.Writable)
	case ErrIrregular:
		return !f.Foreign && !f.Readable && !f.Writable
	}
	return false
}

// Kind names what a file is: "directory", "symbolic link", "regular file".
func Kind(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return "regular file"
	case mode.IsDir():
		return "directory"
	case mode&fs.ModeSymlink != 0:
		return "symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}

// Open opens a regular file and looks at what it opened: there is no moment in which
// another user could put another file there. It doesn't wait for the other end of a pipe.
// What it makes, where flag has os.O_CREATE, has mode 0600. The error is a *Fault where
// the file breaks the rule.
func (r Rule) Open(path string, flag int) (*os.File, error) {
	f, err := open(path, flag, r.Links)
	if err != nil {
		// ELOOP of a symbolic link, ENXIO of a socket.
		if info, statErr := os.Lstat(path); statErr == nil && !info.Mode().IsRegular() {
			return nil, &Fault{Mode: info.Mode()}
		}
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &Fault{Mode: info.Mode()}
	}
	if err == nil {
		err = r.Check(f)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// OpenRegular opens a regular file of any owner. Like Open it waits for no pipe and reads no
// device, which a foreign directory may have in place of the file.
func OpenRegular(path string) (*os.File, error) {
	f, err := open(path, os.O_RDONLY, true)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w", path, &Fault{Mode: info.Mode()})
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// ReadRegular reads a file of OpenRegular that has at most limit bytes.
func ReadRegular(path string, limit int64) ([]byte, error) {
	f, err := OpenRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := ReadAll(f, limit+1)
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

// ReadAll reads the first most bytes of a file. It allocates once what the file has, where
// io.ReadAll begins with 512 bytes and copies what it has into ever larger ones.
func ReadAll(f *os.File, most int64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	data := make([]byte, 0, min(max(info.Size(), 0), most)+1) // with a byte more, the end is seen
	for r := io.LimitReader(f, most); ; {
		if len(data) == cap(data) { // it grew
			data = slices.Grow(data, len(data))
		}
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// Overwrite replaces what is in a regular file that is there already, for a file that
// has to stay the same one: a lock. It follows no symbolic link.
func Overwrite(path string, data []byte) error {
	f, err := Rule{Root: true}.Open(path, os.O_WRONLY)
	if err != nil {
		return err
	}
	if err = f.Truncate(0); err == nil {
		_, err = f.Write(data)
	}
	return errors.Join(err, f.Close())
}
