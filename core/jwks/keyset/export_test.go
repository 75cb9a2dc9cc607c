package keyset

// Waiters returns the number of callers that wait for the fetch under way.
func Waiters(s *Set) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flight == nil {
		return 0
	}
	return s.flight.waiters
}
