//go:build !front

package main

import (
	"errors"
	"os"
	"path/filepath"
)

// writeTokenFile makes a file of mode 0600 and has it take the place of path.
func writeTokenFile(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".zen-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
