//go:build !linux

package conformance

import (
	"context"
	"syscall"
)

// checkParent needs a host that dies.
func checkParent(context.Context, *suite) (string, error) {
	return "", skipped("can only be tested on Linux")
}

// onMainThread matters to checkParent only.
func onMainThread() bool { return false }

// canSeclude: only Linux takes the network from one process.
const canSeclude = false

func seclude(*syscall.SysProcAttr) {}
