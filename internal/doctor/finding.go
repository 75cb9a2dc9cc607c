package doctor

import (
	"cmp"
	"context"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// Finding is the result of one check.
type Finding struct {
	// ID is stable; [PageOf] returns what it means. The id of a provider's finding begins
	// with the provider's name: "clerk.native-api".
	ID string
	// Layer is one of [Layers].
	Layer    string
	Severity provider.Severity
	// Kind is the class of the failure, one of package provider's, or nil.
	Kind error
	// Observed says what was seen, Cause why it is so, and Next what to do about it: a
	// command, if there is one.
	Observed, Cause, Next string
	// Took is the duration of the check, including its requests.
	Took time.Duration
	// Fix is the repair that zen doctor --fix can make; nil if there is none.
	Fix *Fix
}

// Fix repairs what a finding is about.
type Fix struct {
	// Text says what the repair does, in the imperative.
	Text string
	// Questions ask for the secrets that the repair needs. The answers are not stored.
	Questions []provider.Question
	// Do makes the repair, and calls tell for each step.
	Do func(ctx context.Context, answers map[string]provider.Secret, tell func(string)) error
}

// Failed reports whether the finding is at least as severe as least.
func (f Finding) Failed(least provider.Severity) bool {
	return f.Severity == provider.SeverityError || f.Severity == provider.SeverityWarn && least == provider.SeverityWarn
}

// Class returns the name of the failure's class, as in the errors of every command, or ""
// if nothing failed.
func (f Finding) Class() string {
	if f.Severity == provider.SeverityOK || f.Severity == provider.SeveritySkipped {
		return ""
	}
	return cmp.Or(provider.KindName(f.Kind), "other")
}
