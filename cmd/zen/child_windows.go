package main

import "os"

// terminate ends a process: Windows has no way to ask a console program that
// reaches it alone.
func terminate(p *os.Process) error { return p.Kill() }

func exitStatus(state *os.ProcessState) int { return state.ExitCode() }
