//go:build !linux

package private

import (
	"errors"
	"io/fs"
	"os"
)

// nameless opens a file without a name, which this system doesn't have.
func nameless(string, fs.FileMode) (*os.File, error) { return nil, errors.ErrUnsupported }

func giveName(*os.File, string) error { return errors.ErrUnsupported }
