package main

import "path/filepath"

// warmToken compares zen token, with a good stored token, with a program that reads a file
// and prints it: whole processes.
func (b *bench) warmToken() error {
	status, err := b.stack.zen("token", "--json")
	if err != nil {
		return err
	}
	file := filepath.Join(b.dir, "token")
	if err := writeFile(file, status); err != nil {
		return err
	}
	return b.processes("warm token", processRuns, map[string]float64{"zen token": 1.6},
		program{name: "floor", args: []string{filepath.Join(b.dir, "floor"), file}, env: b.stack.environment},
		program{name: "zen token", args: []string{"bin/zen", "token"}, env: b.stack.environment},
	)
}
