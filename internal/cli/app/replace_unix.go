//go:build !windows

package app

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/zen-auth/zen/internal/replace"
)

// ReplaceProcess replaces this process by the command, which keeps its terminal, its open
// files and the signals that were ignored before zen began.
func ReplaceProcess(path string, command, environ []string) error {
	// The command would get the default action of the signals that main handles, also
	// where a shell ignores them for a job in the background.
	signal.Reset(os.Interrupt, syscall.SIGTERM)
	return replace.Process(path, command, environ)
}
