// Package early has a renewal made while the program that tells how it went is not started
// yet: the front starts the process that renews, and prints the token that this one stores.
// Where that takes long or goes wrong, the front becomes zen-full, which takes the process
// over and tells. Where anything is odd there is no such process, and zen-full starts one as
// it always does.
package early

import "strings"

// variable tells the program that a process becomes of the child that it has: the child's
// number, the descriptor of its answer, an interrupt that came meanwhile, and what it was
// started with.
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
// has beside this process's, its arguments, and its request.
func startedWith(entry string, args []string, request []byte) string {
	return entry + "\n" + strings.Join(args, "\n") + "\n" + string(request)
}
