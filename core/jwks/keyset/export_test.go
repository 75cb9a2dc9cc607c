package keyset

// Waiters returns the number of callers waiting for the fetch in progress.
func Waiters(s *Set) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flight == nil {
		return 0
	}
	return s.flight.waiters
}
