package conformance

import (
	"context"
	"fmt"
	"time"
)

// checkParent ends the thread that started the provider, which the kernel treats like the
// death of the host (PR_SET_PDEATHSIG). A provider that has escaped this, by forking again
// or by prctl, keeps running.
func checkParent(ctx context.Context, s *suite) (string, error) {
	p, _, err := s.serving(ctx)
	if err != nil {
		return "", err
	}
	close(p.abandon)
	began := time.Now()
	if !p.endsWithin(parentLimit) {
		return "", fmt.Errorf("it is still running after %v", parentLimit)
	}
	if !p.groupEndsWithin(parentLimit - time.Since(began)) {
		return "", fmt.Errorf("a process that it started is still running after %v", parentLimit)
	}
	return time.Since(began).Round(time.Millisecond).String(), nil
}
