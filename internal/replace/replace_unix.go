//go:build !windows

// Package replace has another program take this one's place.
package replace

import (
	"os"
	"syscall"
)

// Process has the command take this process's place, with its terminal and its open
// files. It returns only where that failed.
func Process(path string, command, environ []string) error {
	return Explain(path, &os.PathError{Op: "exec", Path: path, Err: syscall.Exec(path, command, environ)})
}
