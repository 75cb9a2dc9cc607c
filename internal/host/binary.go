package host

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Binary is a provider's program as it was opened and hashed.
type Binary struct {
	// Name is the NAME in zen-provider-NAME.
	Name string
	// Path is the file, absolute and without symbolic links.
	Path string
	// SHA256 is of the whole file, in hexadecimal.
	SHA256 string
	// Size is in bytes.
	Size int64
	// Interpreter is the program that a script names after its #!, "" for any other program. The
	// sum covers neither that nor what the script loads.
	Interpreter string
}

// Inspect finds name in dirs, as a Manager does, and hashes it.
func Inspect(dirs []string, name string) (Binary, error) {
	path, err := find(dirs, name)
	if err != nil {
		return Binary{}, err
	}
	return InspectFile(name, path)
}

// InspectFile hashes the program at path, if it could run as name.
func InspectFile(name, path string) (Binary, error) {
	p, err := openProgram(name, path)
	if err != nil {
		return Binary{}, err
	}
	defer p.Close()
	return p.inspect()
}

// program is an opened binary. On Linux the process is started from the opened
// file, and while it is open no one gets to write to it, so that the bytes that
// were hashed are the bytes that run. (go-plugin's SecureConfig hashes what a path
// leads to, and runs what it leads to later.)
type program struct {
	*os.File
	name, path string
	// leased says that holdStill had means when the program was opened.
	leased bool
	// opened is the file's state before it was hashed.
	opened os.FileInfo

	// hashing is done once; see sum.
	hashing sync.Once
	binary  Binary
	hashed  time.Time
	hashErr error
}

// openProgram opens the binary at path and checks, on what was opened, that no one
// else could have written it. Its errors are those of the package.
func openProgram(name, path string) (*program, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &StartError{Name: name, Err: err}
	}
	reason := ""
	info, err := f.Stat()
	if err != nil {
		reason = "it can't be read"
	} else if reason = unsafe(info); reason == "" {
		reason = unsafeDir(filepath.Dir(path))
	}
	if reason == "" {
		reason = holdStill(f)
	}
	if reason != "" {
		_ = f.Close()
		return nil, &UnsafeError{Name: name, Path: path, Reason: reason}
	}
	return &program{File: f, name: name, path: path, leased: heldStill(f), opened: info}, nil
}

// untouched reports whether no one has written to the file since before it was hashed. Without a
// lease, the size and the time of the last write have to say so.
func (p *program) untouched() bool {
	if p.leased {
		return heldStill(p.File)
	}
	now, err := p.Stat()
	return err == nil && now.Size() == p.opened.Size() && now.ModTime().Equal(p.opened.ModTime())
}

// sum is what inspect says at its first call. Others wait for it.
func (p *program) sum() (Binary, error) {
	p.hashing.Do(func() {
		p.binary, p.hashErr = p.inspect()
		p.hashed = time.Now()
	})
	return p.binary, p.hashErr
}

// inspect hashes the opened file.
func (p *program) inspect() (Binary, error) {
	hash, head := sha256.New(), make([]byte, maxInterpreter)
	n, _ := p.ReadAt(head, 0) // what can't be read can't be hashed either
	// Hashing is most of a start: a large buffer spares calls.
	size, err := io.CopyBuffer(hash, onlyReader{io.NewSectionReader(p, 0, 1<<62)}, make([]byte, 256<<10))
	if err != nil {
		return Binary{}, &StartError{Name: p.name, Err: fmt.Errorf("read %s: %w", p.path, err)}
	}
	return Binary{
		Name: p.name, Path: p.path, SHA256: hex.EncodeToString(hash.Sum(nil)), Size: size, Interpreter: interpreter(head[:n]),
	}, nil
}

// maxInterpreter is the length of a script's beginning that Linux reads (BINPRM_BUF_SIZE).
const maxInterpreter = 256

// interpreter returns what follows the #! that head begins with.
func interpreter(head []byte) string {
	line, ok := bytes.CutPrefix(head, []byte("#!"))
	if !ok {
		return ""
	}
	line, _, _ = bytes.Cut(line, []byte("\n"))
	if line = bytes.TrimSpace(line); len(line) == 0 {
		return "/bin/sh" // the system takes it for none, and shells for theirs
	}
	return string(line)
}

// onlyReader hides the other methods, so that the buffer is used.
type onlyReader struct{ io.Reader }

// admit asks trust whether the program may run; without one, what is in the
// Manager's directories may.
func (p *program) admit(ctx context.Context, trust func(context.Context, Binary) error) (Binary, error) {
	if trust == nil {
		return Binary{}, nil
	}
	binary, err := p.sum()
	if err != nil {
		return Binary{}, err
	}
	return binary, trust(ctx, binary)
}

// remains returns an error unless the program is still what trust was asked about. A person
// may take minutes to answer, and a lease lasts for 45 s once a writer waits: what was asked
// about is what runs, or nothing.
func (p *program) remains(was Binary) error {
	if p.untouched() && (p.leased || time.Since(p.hashed) < unasked) {
		return nil
	}
	return p.same(was)
}

// started returns an error if the program may have been changed between remains and its
// start, which only a lease prevents. While it runs, Linux refuses writers, but to a script.
func (p *program) started() error {
	if p.leased || p.untouched() {
		return nil
	}
	return &UnsafeError{Name: p.name, Path: p.path, Reason: "it was changed while zen started it"}
}

// unasked is the time within which trust answers after the hash, if it asks no question.
const unasked = time.Second

// same hashes the opened file again, held still anew.
func (p *program) same(was Binary) error {
	reason := ""
	info, err := p.Stat()
	if err != nil {
		reason = "it can't be read"
	} else if reason = unsafe(info); reason == "" {
		letGo(p.File)
		reason = holdStill(p.File)
		p.opened, p.leased = info, heldStill(p.File)
	}
	if reason == "" {
		now, err := p.inspect()
		if err != nil {
			return err
		}
		if now != was {
			reason = "it was changed while zen waited for an answer about it"
		}
	}
	if reason != "" {
		return &UnsafeError{Name: p.name, Path: p.path, Reason: reason}
	}
	return nil
}
