package replace

import (
	"os"
	"path/filepath"
)

// Self is the file of this program, beside which the others of zen's are. A link to it is
// followed.
func Self() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(self)
}
