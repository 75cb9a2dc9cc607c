package doctor

import (
	"cmp"
	"context"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// Finding is one thing that was looked at.
type Finding struct {
	// ID is stable; [Pages] says what each means. Findings of a provider have its name
	// before its own id: "clerk.native-api".
	ID string
	// Layer is one of [Layers].
	Layer    string
	Severity provider.Severity
	// Kind is the class of the failure, one of the contract's, or nil.
	Kind error
	// Observed says what was seen, Cause why it is so, Next what to do: a command, where
	// there is one.
	Observed, Cause, Next string
	// Took is the time that the look took, with what was asked for it.
	Took time.Duration
	// Fix is the repair that can be made at once; nil if there is none.
	Fix *Fix
}

// Fix repairs what a finding is about.
type Fix struct {
	// Text says what would be done, as an order.
	Text string
	// Questions are the secrets that it takes, which are kept nowhere.
	Questions []provider.Question
	// Do makes the repair, and reports each step.
	Do func(ctx context.Context, answers map[string]provider.Secret, tell func(string)) error
}

// Failed reports whether the finding is at least as bad as a severity.
func (f Finding) Failed(least provider.Severity) bool {
	return f.Severity == provider.SeverityError || f.Severity == provider.SeverityWarn && least == provider.SeverityWarn
}

// Class returns the name of the failure's class, as in the errors of every command; "" is
// none.
func (f Finding) Class() string {
	if f.Severity == provider.SeverityOK || f.Severity == provider.SeveritySkipped {
		return ""
	}
	return cmp.Or(provider.KindName(f.Kind), "other")
}
