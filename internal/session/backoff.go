package session

import (
	"context"
	"fmt"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/breaker"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/store"
)

// backedOff is ErrUnavailable while no other token is to be issued in place of a refused
// one. What was refused is stored: otherwise each process would ask for a token of its own.
func (s *Session) backedOff(record store.Record, by cache.Issuer) error {
	remaining := record.Refusals[s.config.Key(record, by)].Remaining(s.config.Now())
	if remaining == 0 {
		return nil
	}
	return &provider.Error{
		Kind:       provider.ErrUnavailable,
		Message:    fmt.Sprintf("a new token of %s was refused, too; the next one is asked for in %s", by.Provider, remaining.Round(time.Second)),
		RetryAfter: remaining,
	}
}

// backOff counts a token that was issued in place of a refused one.
func (s *Session) backOff(record *store.Record, by cache.Issuer) {
	if record.Refusals == nil {
		record.Refusals = map[string]breaker.Backoff{}
	}
	key := s.config.Key(*record, by)
	record.Refusals[key] = record.Refusals[key].Renewed(s.config.Now())
}

// noteRefusals remembers whether there is something to forget once the database takes a
// token.
func (s *Session) noteRefusals(refused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals = refused
}

// endBackOff forgets the refusals of the way that a token came by, which the database
// has taken. It reads the store only where there are any.
func (s *Session) endBackOff(ctx context.Context, token provider.Token) {
	s.mu.Lock()
	by, ends := s.current.by, s.refusals && s.current.token.Value.Equal(token.Value)
	s.refusals = s.refusals && !ends
	s.mu.Unlock()
	if !ends {
		return
	}
	record, err := s.config.Store.LoadContext(ctx, s.config.Name)
	if _, ok := record.Refusals[s.config.Key(record, by)]; err != nil || !ok {
		return
	}
	err = s.config.Store.Lock(ctx, s.config.Name, func(l *store.Locked) error {
		delete(l.Refusals, s.config.Key(l.Record, by))
		return l.Save()
	})
	if err != nil {
		s.noteRefusals(true) // the next request's token tells as well
	}
}
