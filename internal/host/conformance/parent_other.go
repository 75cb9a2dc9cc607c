//go:build !linux

package conformance

import (
	"context"
	"syscall"
)

// checkParent is skipped: it needs PR_SET_PDEATHSIG.
func checkParent(context.Context, *suite) (string, error) {
	return "", skipped("can only be tested on Linux")
}

// onMainThread matters only for checkParent.
func onMainThread() bool { return false }

// canSeclude is false: only Linux can start one process without a network.
const canSeclude = false

func seclude(*syscall.SysProcAttr) {}
