// Package early starts the process that renews while the program that will ask it is itself
// being started: the front has both started at the same time, and becomes the one that
// asks. Where anything is odd the process is not there, and is started as it always was.
package early

import "strings"

// variable tells the program that a process becomes of the child that it has: the child's
// number, the two descriptors, and a line that says what it was started with.
const variable = "ZEN_EARLY_RENEWAL"

// Arguments are those of a command of zen's own, with what was said of the configuration.
func Arguments(command, config string, debug, quiet bool) []string {
	args := []string{command, "--no-input"}
	if config != "" {
		args = append(args, "--config", config)
	}
	if debug {
		args = append(args, "--debug")
	}
	if quiet {
		args = append(args, "--quiet")
	}
	return args
}

// startedWith is one text for what a child was started with: the entry that its environment
// has beside this process's, and its arguments.
func startedWith(entry string, args []string) string {
	return entry + "\n" + strings.Join(args, "\n")
}
