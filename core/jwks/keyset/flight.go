package keyset

import (
	"context"
	"fmt"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
)

// flight is one fetch that several callers wait for. It lives as long as one of
// them does: the last to give up ends it and waits for its end.
type flight struct {
	done   chan struct{}
	cancel context.CancelFunc
	// waiters is guarded by Set.mu; snap and err are final once done is closed.
	waiters int
	snap    *jwks.Set
	err     error
}

// fetchShared joins the fetch under way, or starts one.
func (s *Set) fetchShared(ctx context.Context, held *jwks.Set) (*jwks.Set, error) {
	s.mu.Lock()
	f := s.flight
	if f == nil {
		f = s.takeOff(ctx, held)
	}
	f.waiters++
	s.mu.Unlock()

	select {
	case <-f.done:
		return f.snap, f.err
	case <-ctx.Done():
		s.leave(f)
		return held, &provider.Error{
			Kind:    provider.ErrUnavailable,
			Message: fmt.Sprintf("fetch key set %s: %v", s.url, context.Cause(ctx)),
			Err:     context.Cause(ctx),
		}
	}
}

// takeOff starts a fetch; s.mu is held. The fetch outlives the context of the
// caller that starts it, as others may join.
func (s *Set) takeOff(ctx context.Context, held *jwks.Set) *flight {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	f := &flight{done: make(chan struct{}), cancel: cancel}
	s.flight = f
	go func() {
		defer close(f.done)
		defer cancel()
		f.snap, f.err = s.fetch(ctx, held)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.flight == f {
			s.flight = nil
		}
		if f.snap != nil {
			s.snap = f.snap
		}
	}()
	return f
}

func (s *Set) leave(f *flight) {
	s.mu.Lock()
	f.waiters--
	last := f.waiters == 0
	if last && s.flight == f {
		s.flight = nil
	}
	s.mu.Unlock()
	if last {
		f.cancel()
		<-f.done
	}
}
