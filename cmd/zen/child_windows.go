package main

import (
	"context"
	"os"
)

// terminate ends a process: Windows has no way to ask a console program that
// reaches it alone.
func terminate(p *os.Process) error { return p.Kill() }

// untilHangup has nothing to wait for: closing a console ends its programs.
func untilHangup(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithCancel(ctx)
}

func exitStatus(state *os.ProcessState) int { return state.ExitCode() }
