package provider

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Credential is stored by zen and can be refreshed. Only the provider that
// made it can read Data.
type Credential struct {
	// Data is the provider's own encoding, text (UTF-8) of at most 64 KiB.
	Data Secret
	// Subject names the owner, for people. It is not a secret.
	Subject string
	// Detail is one line for zen status on what the credential is and how tokens are
	// made with it, where Subject doesn't say enough: not a secret. It may be empty.
	Detail string
	Issued time.Time
	// Expires is the time from which it yields no new tokens. Zero means that it is unknown.
	Expires time.Time
}

// maxCredential bounds Credential.Data, in bytes.
const maxCredential = 64 << 10

// Validate refuses a credential that can't be stored: an empty one, one above 64 KiB,
// one that is no text. zen asks it of every credential that a provider returns.
func (c Credential) Validate() error {
	data := c.Data.Reveal()
	switch {
	case data == "":
		return errors.New("the credential is empty")
	case len(data) > maxCredential:
		return fmt.Errorf("the credential has %d bytes, more than 64 KiB", len(data))
	case !utf8.ValidString(data):
		return errors.New("the credential is no text (UTF-8)")
	}
	return nil
}

// Identity signs people and machines in and out.
//
// Any call may return a replaced credential (refresh tokens rotate, Clerk's client
// JWT changes in response headers): the host stores it before it uses anything
// that came with it.
type Identity interface {
	// Login signs in. The provider asks host for everything that a person has to
	// see or do, and hands over the result with host.Store, exactly once; it may
	// return nil only after Store has returned nil. Login is long: it ends when
	// ctx ends.
	Login(ctx context.Context, req LoginRequest, host Host) error
	// Refresh renews the credential and returns what is to be stored in its place.
	Refresh(ctx context.Context, credential Credential) (Credential, error)
	// Verify checks a token of this provider's issuer and returns what it says.
	Verify(ctx context.Context, token Secret) (Claims, error)
	// Revoke ends the credential at the issuer.
	Revoke(ctx context.Context, credential Credential) error
}

// BrowserSession is implemented by identity providers whose issuer keeps a browser signed
// in, beside the credential. It is a part of the service Identity, found by type
// assertion.
type BrowserSession interface {
	// EndSessionURL is the page that ends the browser's session at the issuer, for the
	// credential that is being signed out. It has no secret in it. An issuer without such
	// a page is errors.ErrUnsupported.
	EndSessionURL(ctx context.Context, credential Credential) (string, error)
}

// LoginRequest describes the sign-in that zen login was asked for.
type LoginRequest struct {
	// Method is one of Description.Methods, or "" for the default.
	Method string
	// Organization is the organization to sign in to, or "".
	Organization string
	// Interactive is false if no one can answer questions or open a browser.
	Interactive bool
	// Target, Access and Permissions are those that the first token will be asked for,
	// so that Login can check that the issuer grants one. Target may be zero.
	Target      Target
	Access      Access
	Permissions []Permission
	// Audience and AssertionKinds are those that the first assertion will be asked for, where
	// another provider issues the tokens and wants one; both may be empty.
	Audience       string
	AssertionKinds []AssertionKind
}

// SignIn is the result of a login.
type SignIn struct {
	Credential Credential
	// Claims are the verified claims of the identity.
	Claims Claims
	// Token is a token for LoginRequest.Target, where the login yielded one.
	Token *Token
}

// Host is the part of zen that a provider may use during a sign-in. Zen draws
// everything, with the provider's name before it, and owns the terminal. Every method
// blocks until it is done or ctx ends; methods may be called concurrently.
type Host interface {
	// OpenURL shows a URL (always) and opens it in a browser (if there is one).
	// code, if not empty, is shown by the page too, for the user to compare.
	OpenURL(ctx context.Context, url, code string) error
	// ShowCode shows a code to be typed at url, good until expires.
	ShowCode(ctx context.Context, code, url string, expires time.Time) error
	// Progress shows what is being waited for.
	Progress(ctx context.Context, text string) error
	// Ask reads a line; AskSecret reads one that is not echoed. If no one can
	// answer, they fail with ErrNoCredential.
	Ask(ctx context.Context, question string) (string, error)
	AskSecret(ctx context.Context, question string) (Secret, error)
	// Store verifies and persists the result. A page that informs a person of
	// success is shown after it has returned nil, not before.
	Store(ctx context.Context, result SignIn) error
}
