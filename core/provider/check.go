package provider

import (
	"context"
	"fmt"
)

// Fixer is implemented by providers that can repair what their Check found. It is a
// part of the service Provider, found by type assertion.
type Fixer interface {
	// Fix does what the Fix with the id req.ID of one of its findings says, and
	// nothing else: the host has shown that text and got a yes. It calls report for
	// each step. It is safe to call if there is nothing to repair any more.
	//
	// An id that the provider doesn't know is ErrConfig, a missing or unsuitable
	// answer ErrConfig or ErrRejected. Answers are not kept, logged or returned.
	// credential, if not nil, replaces the one of the request, beside an error too.
	Fix(ctx context.Context, req FixRequest, report func(Progress) error) (credential *Credential, err error)
}

// Purpose describes what a profile needs of a provider. Fields that aren't known are zero.
type Purpose struct {
	// Organization is the organization at the issuer, or "".
	Organization string
	Target       Target
	Access       Access
	Permissions  []Permission
	// Audience is the audience of the assertions, where another provider issues the
	// tokens and asks for some.
	Audience string
	// Template and ReadOnlyTemplate are the claims that Turso wants in a token for
	// Target, as turso org jwks template prints them for Access with Permissions and
	// for read-only access: a JSON object, or "" if Turso was not asked. It is the
	// host that asks.
	Template         string
	ReadOnlyTemplate string
}

// CheckRequest says what to look at.
type CheckRequest struct {
	// Credential is the stored credential of this provider; nil if there is none.
	Credential *Credential
	Purpose
}

// Severity grades a finding.
type Severity string

// The grades. SeveritySkipped is for what could not be looked at; Finding.Text says
// why.
const (
	SeverityOK      Severity = "ok"
	SeveritySkipped Severity = "skipped"
	SeverityWarn    Severity = "warn"
	SeverityError   Severity = "error"
)

// Finding is one result of Check.
type Finding struct {
	// ID is stable, and the provider's own: "jwks", "native-api". The host puts the
	// provider's name before it ("clerk.native-api").
	ID       string
	Severity Severity
	// Kind is the class of the failure, one of the sentinels, or nil.
	Kind error
	// Text says what was observed, Cause why, and Hint what to do about it.
	Text  string
	Cause string
	Hint  string
	// Fix is what the provider can do about it, nil if it can do nothing.
	Fix *Fix
}

// Passed returns the finding of a check that found nothing wrong.
func Passed(id, format string, args ...any) Finding {
	return Finding{ID: id, Severity: SeverityOK, Text: fmt.Sprintf(format, args...)}
}

// Skipped returns the finding of a check that could not look; the text says why.
func Skipped(id, format string, args ...any) Finding {
	return Finding{ID: id, Severity: SeveritySkipped, Text: fmt.Sprintf(format, args...)}
}

// Failed returns the finding of a check that err ended: its kind, its text and its hint.
func Failed(id string, err error) Finding {
	return Finding{ID: id, Severity: SeverityError, Kind: Kind(err), Text: err.Error(), Hint: Hint(err)}
}

// Fix is a repair that a provider offers.
type Fix struct {
	// ID names it to Fixer.Fix.
	ID string
	// Text says what would be done, where, as an order: "make the JWT template turso
	// in the Clerk instance app.example".
	Text string
	// Questions are the secrets that it takes. They are asked for when it is done, and
	// kept nowhere.
	Questions []Question
}

// Question asks for a secret.
type Question struct {
	// Key names the answer in FixRequest.Answers.
	Key string
	// Text is the question, without a question mark or colon at its end.
	Text string
	// Env names variables that have the answer if no one can be asked, in this
	// order. Only those of the provider's own family count (NAME_...).
	Env []string
}

// FixRequest asks for one repair.
type FixRequest struct {
	// ID is the id of a Fix.
	ID string
	// Credential is the stored credential of this provider; nil if there is none.
	Credential *Credential
	Purpose
	// Answers are the answers to the Fix's questions, by key.
	Answers map[string]Secret
}

// Progress is a step of a repair.
type Progress struct {
	// Text says what is being done or, if Done, what has been done.
	Text string
	Done bool
	// Settings are values that the provider's settings should have from now on,
	// because of what was done: the id of an application that was made. Never one of a
	// sensitive field.
	Settings map[string]string
}
