package app

import "github.com/zen-auth/zen/internal/replace"

// ReplaceProcess runs the command and ends zen with its exit code.
func ReplaceProcess(path string, command, environ []string) error {
	return replace.Process(path, command, environ)
}
