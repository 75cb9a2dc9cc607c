package host

import "io/fs"

// unsafe says why a binary may not run, or "". Mode bits say nothing about who may
// write to a file here.
func unsafe(info fs.FileInfo) string {
	if !info.Mode().IsRegular() {
		return "it is not a regular file"
	}
	return ""
}

func unsafeDir(string) string { return "" }

// reachable knows no answer: nothing is attached to here.
func reachable(string) string { return "that is not possible on Windows" }
