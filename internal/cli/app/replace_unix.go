//go:build !windows

package app

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/zen-auth/zen/internal/replace"
)

// ReplaceProcess has the command take this process's place, with its terminal, its
// open files and the signals that were ignored before zen began.
func ReplaceProcess(path string, command, environ []string) error {
	// What main is notified of would be the default to the command, also where a
	// shell had it ignored for a job in the background.
	signal.Reset(os.Interrupt, syscall.SIGTERM)
	return replace.Process(path, command, environ)
}
