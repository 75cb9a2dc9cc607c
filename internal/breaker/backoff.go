package breaker

import "time"

// Backoff keeps one way to tokens from being asked for another one after each refusal:
// a database that refused a new token refuses the next one, too, until something has
// changed. The zero Backoff lets the first refusal through. Like State it is a value
// without a clock, and the tags are the form in the credentials file.
type Backoff struct {
	// RetryAt is the time from which another token may be issued in place of a refused one, after
	// Failures new ones that no request got through with.
	RetryAt  time.Time `json:"retry_at"`
	Failures int       `json:"failures"`
}

// Renewed counts a token that was issued in place of a refused one. It counts as refused
// until the database takes it, and the Backoff with it is forgotten.
func (b Backoff) Renewed(now time.Time) Backoff {
	return Backoff{RetryAt: now.Add(Wait(b.Failures)), Failures: b.Failures + 1}
}

// Remaining returns the wait before another token is issued in place of a refused one.
// Zero means that one may be issued now.
func (b Backoff) Remaining(now time.Time) time.Duration {
	remaining := b.RetryAt.Round(0).Sub(now.Round(0))
	if b.Failures == 0 || remaining > 2*LastRetry {
		return 0 // or the clock was set back, so that it isn't known when it would be
	}
	return max(0, remaining)
}
