package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/zen-auth/zen/internal/replace"
)

// What env(1), nohup(1), timeout(1) and every shell exit with when the command
// can't be run (POSIX, XCU 2.8.2).
const (
	exitNotExecutable = 126
	exitNotFound      = 127
)

// FindCommand looks a command up as a shell does, before a token is asked for in vain.
func FindCommand(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", CommandError(name, err)
	}
	return filepath.Abs(path)
}

// CommandError gives the reasons why a command can't be run the exit codes that a
// shell gives them.
func CommandError(name string, err error) error {
	var child ChildExit
	var path *fs.PathError
	if errors.As(err, &path) {
		err = replace.Explain(path.Path, err)
	}
	var load *replace.LoadError
	switch {
	case err == nil, errors.As(err, &child):
		return err
	case errors.As(err, &load):
		return cannotRun{exitNotExecutable, name, load.Error(), err}
	case errors.Is(err, exec.ErrDot):
		return cannotRun{exitNotFound, name, fmt.Sprintf("it is in the working directory, which is not on the PATH; .%c%s would be it", os.PathSeparator, name), err}
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return cannotRun{exitNotFound, name, "there is no such command", err}
	}
	var why error = err
	if lookup, ok := errors.AsType[*exec.Error](err); ok {
		why = lookup.Err
	}
	if errors.As(why, &path) {
		why = path.Err
	}
	return cannotRun{exitNotExecutable, name, why.Error(), err}
}

// cannotRun is a command that could not be started.
type cannotRun struct {
	code      int
	name, why string
	err       error
}

func (e cannotRun) Error() string { return "run " + e.name + ": " + e.why }
func (e cannotRun) Unwrap() error { return e.err }

// ErrorID distinguishes a missing command from one that can't be run.
func (e cannotRun) ErrorID() string {
	if e.code == exitNotFound {
		return "command_not_found"
	}
	return "command_not_executable"
}
