package conformance

import (
	"context"
	"fmt"
	"time"
)

// checkParent ends the thread that started the provider, which is to the kernel what
// the death of the host would be (PR_SET_PDEATHSIG). A program that took itself out
// of the host's hands, by a second fork or by prctl, goes on.
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
	for p.groupAlive() {
		if time.Since(began) > parentLimit {
			return "", fmt.Errorf("a process that it started is still running after %v", parentLimit)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(began).Round(time.Millisecond).String(), nil
}
