package replace

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// Self returns the file of this program, beside which the others of zen's are. A link to it is
// followed. Where the system doesn't tell, as Linux without /proc, it is what the program
// was started as.
func Self() (string, error) {
	self, err := os.Executable()
	if errors.Is(err, fs.ErrNotExist) {
		self, err = startedAs(os.Args[0])
	}
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(self)
}

// startedAs returns the file that a shell finds by the name.
func startedAs(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}
