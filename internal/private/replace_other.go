//go:build !linux

package private

import (
	"errors"
	"io/fs"
	"os"
)

// nameless is what this system has no files of.
func nameless(string, fs.FileMode) (*os.File, error) { return nil, errors.ErrUnsupported }

func giveName(*os.File, string) error { return errors.ErrUnsupported }
