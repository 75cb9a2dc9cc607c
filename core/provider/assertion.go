package provider

import (
	"context"
	"time"
)

// AssertionSource states who a credential belongs to, for another provider that makes
// tokens in that name.
type AssertionSource interface {
	// Assertion returns a statement of one of req.Kinds, made for req.Audience alone.
	// A credential that can't be stated for that audience, or in none of the kinds, is
	// ErrPermission. credential, if not nil, replaces the one of the request, beside
	// an error too.
	Assertion(ctx context.Context, req AssertionRequest) (assertion Assertion, credential *Credential, err error)
}

// AssertionKind is the form of an assertion.
type AssertionKind string

// The kinds. What can't be pinned to an audience (a Clerk API key) says the same to
// all that it is shown to.
const (
	// AssertionJWT is a signed JWT of the issuer: an id_token, a session token, the
	// token of a CI job.
	AssertionJWT AssertionKind = "jwt"
	// AssertionClerkAPIKey is a Clerk API key (ak_...), which is verified at Clerk.
	AssertionClerkAPIKey AssertionKind = "clerk-api-key"
)

// AssertionRequest asks for an assertion.
type AssertionRequest struct {
	Credential Credential
	// Audience is the claim aud that it is for; "" means the issuer's own.
	Audience string
	// Kinds are the acceptable kinds, the best first.
	Kinds []AssertionKind
}

// Assertion states who a person or a machine is. It is for a provider that makes tokens
// in another one's name, and never goes to a database.
type Assertion struct {
	Kind  AssertionKind
	Value Secret
	// Expires is the end of the assertion. Zero means that it is unknown.
	Expires time.Time
}

// AssertionNeed describes the assertion that a TokenSource needs from the provider that
// signed in, where that is another one.
type AssertionNeed struct {
	// Kinds are the kinds that it accepts, the best first.
	Kinds []AssertionKind
	// Audience is what assertions have to be made for. AudienceField, if not empty,
	// is the key of the setting that says it instead, where that has a value.
	Audience      string
	AudienceField string
}
