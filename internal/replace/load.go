package replace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// LoadError says that a program is there and can't be loaded: what would load it, which
// the program names, is not on this system.
type LoadError struct{ Path string }

// Error says what that means.
func (e *LoadError) Error() string {
	return e.Path + " is there, and what it needs to be loaded is not: it was built for another system (one with glibc, where this one has musl or is NixOS), or it is a script whose interpreter is missing"
}

// Explain returns a *LoadError for the error of the start of a program that is at path,
// where that is the reason: the system says "no such file" of both. Others it returns as
// they are.
func Explain(path string, err error) error {
	var start *fs.PathError
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &start) || !strings.HasSuffix(start.Op, "exec") {
		return err
	}
	if info, statErr := os.Stat(path); statErr != nil || !info.Mode().IsRegular() {
		return err
	}
	if dir := filepath.Dir(start.Path); start.Path != path {
		if _, statErr := os.Stat(dir); errors.Is(statErr, fs.ErrNotExist) {
			return fmt.Errorf("%s is not there, by which the very file is started that was verified: mount /proc", dir)
		}
	}
	return &LoadError{path}
}
