// Package breaker decides which provider issues the tokens of a profile: its own, or,
// while those don't reach the database, one of its fallbacks.
//
// The breaker is a value. It does no I/O and has no clock: its owner tells it
// what happened and when, and stores what comes out.
package breaker

import (
	"slices"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

const (
	// FirstRetry and LastRetry are the first and the longest wait before the profile's
	// own provider is tried again. Each failed trial doubles the wait.
	FirstRetry = 30 * time.Second
	LastRetry  = 5 * time.Minute
	// Memory is the time for which a token's rights are remembered after its end. A state whose
	// retry has been due for longer is closed: what was granted long ago may not be
	// granted still.
	Memory = 7 * 24 * time.Hour
)

// Cause is why the breaker opened.
type Cause bool

// The causes.
const (
	// Refused: the database refused the tokens of the profile's own provider.
	Refused Cause = false
	// Unavailable: the profile's own provider could issue none.
	Unavailable Cause = true
)

// Rights are the most that a fallback's token may allow.
type Rights struct {
	Access      provider.Access       `json:"access"`
	Permissions []provider.Permission `json:"permissions,omitempty"`
}

// Equal reports whether both allow the same.
func (r Rights) Equal(other Rights) bool {
	return r.Access == other.Access && slices.EqualFunc(r.Permissions, other.Permissions, func(a, b provider.Permission) bool {
		return slices.Equal(a.Tables, b.Tables) && slices.Equal(a.Actions, b.Actions)
	})
}

// State is the state of one breaker. The zero State is closed: the profile's own
// provider issues the tokens. The tags are the form in the credentials file.
type State struct {
	// Via is the fallback provider that issues the tokens; "" if the breaker is
	// closed.
	Via string `json:"via"`
	// Because is why it opened, and Since when.
	Because Cause     `json:"unavailable,omitempty"`
	Since   time.Time `json:"since"`
	// RetryAt is the time to try the profile's own provider again, after Failures
	// trials that were in vain.
	RetryAt  time.Time `json:"probe"`
	Failures int       `json:"failures,omitempty"`
	// Rights are the rights of the last token of the profile's own provider: no fallback's
	// may allow more.
	Rights
	// EnvNames are the variables that the settings of Via may come from. The breaker
	// only carries them.
	EnvNames []string `json:"env_names,omitempty"`
}

// Open reports whether a fallback issues the tokens.
func (s State) Open() bool { return s.Via != "" }

// Route names the provider that is to issue the next token.
type Route int

// The routes.
const (
	// Own is the profile's own provider.
	Own Route = iota
	// Fallback is State.Via.
	Fallback
	// Trial is the profile's own provider, for one request that tries whether it works
	// again. It begins with TrialFailed.
	Trial
)

// Route says who is to issue a token now.
func (s State) Route(now time.Time) Route {
	switch {
	case !s.Open():
		return Own
	case now.Before(s.RetryAt) && s.RetryAt.Sub(now) <= 2*LastRetry:
		return Fallback
	}
	return Trial // due, or the clock was set back, so that it isn't known when it would be
}

// Among returns the state for a profile with these fallback providers: closed where Via is
// none of them, and where its rights are too old to be believed.
func (s State) Among(fallbacks []string, now time.Time) State {
	if !slices.Contains(fallbacks, s.Via) || Forgotten(s.RetryAt, now) {
		return State{}
	}
	return s
}

// Forgotten reports whether what ended at a time counts no more; the zero time is
// without an end.
func Forgotten(end, now time.Time) bool {
	return !end.IsZero() && now.Round(0).Sub(end.Round(0)) > Memory
}

// Refused opens the breaker, or moves it on to another fallback, after the database
// refused the tokens of the present issuer.
func (s State) Refused(now time.Time, via string, rights Rights) State {
	return s.open(now, via, Refused, rights)
}

// Unavailable opens the breaker after the profile's own provider could issue no token.
func (s State) Unavailable(now time.Time, via string, rights Rights) State {
	return s.open(now, via, Unavailable, rights)
}

func (s State) open(now time.Time, via string, because Cause, rights Rights) State {
	return State{
		Via: via, Because: because, Since: now, RetryAt: now.Add(Wait(s.Failures)), Failures: s.Failures, Rights: rights,
	}
}

// TrialFailed counts a trial and puts the next one off. It is stored before the trial
// is made, so that of many processes one makes it; Recovered takes it back.
func (s State) TrialFailed(now time.Time) State {
	s.Failures++
	s.RetryAt = now.Add(Wait(s.Failures))
	return s
}

// Limited returns the state with the rights of a newer token of the profile's own provider:
// the issuer may have changed what it allows.
func (s State) Limited(rights Rights) State {
	s.Rights = rights
	return s
}

// Recovered closes the breaker.
func (s State) Recovered() State { return State{} }

// Wait returns the time for which the profile's own provider is left alone after so many failed
// trials.
func Wait(failures int) time.Duration { return min(LastRetry, FirstRetry<<min(failures, 8)) }

// Candidates returns the fallbacks that may take over from the one named after ("" is the
// profile's own provider), in order. The profile's own provider is never one.
func Candidates(fallbacks []string, own, after string) []string {
	next := slices.Clone(fallbacks[slices.Index(fallbacks, after)+1:])
	return slices.DeleteFunc(next, func(name string) bool { return name == own })
}

// Serves reports whether the breaker has moved on already from the provider named after
// ("" is the profile's own), so that its tokens are to be used and none has to be
// looked for.
func (s State) Serves(fallbacks []string, after string, now time.Time) bool {
	return s.Route(now) == Fallback && slices.Index(fallbacks, s.Via) > slices.Index(fallbacks, after)
}
