package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/text"
)

// Error is an issuer's refusal (RFC 6749 section 5.2). Both texts are the issuer's,
// bounded and fit for a terminal; one that could hold a secret is left out.
type Error struct {
	// Status is the HTTP status, for logs: issuers differ in it. Code decides.
	Status      int
	Code        string
	Description string
}

// Error returns the description and the code.
func (e *Error) Error() string {
	if e.Description == "" {
		return e.Code
	}
	return e.Description + " (" + e.Code + ")"
}

// Code returns the code of an issuer's refusal in the chain of err, or "".
func Code(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// The codes that callers tell apart.
const (
	CodeInvalidGrant         = "invalid_grant"
	CodeInvalidClient        = "invalid_client"
	CodeUnauthorizedClient   = "unauthorized_client"
	CodeAccessDenied         = "access_denied"
	CodeAuthorizationPending = "authorization_pending"
	CodeSlowDown             = "slow_down"
	CodeExpiredToken         = "expired_token"
)

// LoginHint is the hint for a sign-in that has ended.
const LoginHint = "run zen login"

// refusal turns an issuer's answer into an error.
func (c *Client) refusal(what string, res *http.Response, body []byte, code, description string) error {
	name, status, header := c.Name, res.StatusCode, res.Header
	if !isCode(code) && c.Refused != nil {
		return c.Refused(what, res, body)
	}
	if !isCode(code) {
		failure := unavailable(name, what, "HTTP "+strconv.Itoa(status)+" that is not an OAuth answer: is there a proxy between?")
		switch {
		case status >= 500 || status == http.StatusTooManyRequests:
			failure.Message = prefixed(name, "%s: HTTP %d", what, status)
			failure.RetryAfter = httpclient.RetryAfter(header)
		case status/100 == 3:
			failure.Message = prefixed(name, "%s: HTTP %d: it is a redirect, and none is followed", what, status)
		}
		return failure
	}
	answer := &Error{Status: status, Code: code, Description: Harmless(description)}
	failure := &provider.Error{
		Kind: provider.ErrRejected, Err: answer, Message: prefixed(name, "%s: %s, HTTP %d", what, answer.Error(), status),
	}
	switch {
	case code == CodeInvalidGrant, code == CodeExpiredToken:
		failure.Hint = LoginHint
	case code == CodeUnauthorizedClient, code == "unsupported_grant_type", code == "invalid_scope", code == "invalid_target":
		// The application is not allowed to, for any person.
		failure.Kind = provider.ErrConfig
	case code == CodeInvalidClient:
		failure.Hint = "are client_id and its secret or key right?"
	case status == http.StatusTooManyRequests && code != CodeSlowDown, status >= 500, code == "temporarily_unavailable", code == "server_error":
		failure.Kind, failure.RetryAfter = provider.ErrUnavailable, httpclient.RetryAfter(header)
	}
	return failure
}

func unavailable(name, what, reason string) *provider.Error {
	return &provider.Error{Kind: provider.ErrUnavailable, Message: prefixed(name, "%s: %s", what, reason)}
}

// prefixed puts the name of the provider before a message.
func prefixed(name, format string, args ...any) string {
	text := fmt.Sprintf(format, args...)
	if name == "" {
		return text
	}
	return name + ": " + text
}

// isCode accepts the characters of a code (RFC 6749 section 5.2 allows more, and no
// issuer uses them), and nothing that could hold a secret.
func isCode(s string) bool {
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.') {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// Harmless returns an issuer's sentence in a form fit for a terminal, of at most 160
// bytes, or "" if a word is so long that it could be a code or a token.
func Harmless(message string) string { return text.Sentence(message, 50) }
