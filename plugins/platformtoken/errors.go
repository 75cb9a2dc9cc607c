package main

import (
	"cmp"
	"errors"
	"net/http"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

// failed classifies an error of the API. The text is turso.Error's, which contains no
// secret.
func (a account) failed(err error) error {
	var e *turso.Error
	if !errors.As(err, &e) {
		return err
	}
	out := &provider.Error{Message: "platformtoken: " + e.Error(), Err: err}
	switch status := e.Status; {
	case e.WrongTokenKind():
		return wrongTokenKind("the API token is a token for a database or a group")
	case errors.Is(err, turso.ErrBadToken), errors.Is(err, turso.ErrBadArgument):
		out.Kind = provider.ErrConfig
	case status == http.StatusUnauthorized:
		out.Kind, out.Hint = provider.ErrRejected, a.renewHint()
	case status == http.StatusForbidden:
		out.Kind = provider.ErrPermission
		out.Hint = "is the API token's user a member of " + a.organizationText() + ", and has it the scopes read and db:mint-token?"
	case status == http.StatusPaymentRequired:
		out.Kind, out.Hint = provider.ErrPermission, "turso plan show tells what the plan includes"
	case status == http.StatusNotFound:
		out.Kind, out.Hint = provider.ErrConfig, "looked in "+a.organizationText()+"; turso db list shows the databases"
	case status == 0:
		out.Kind = cmp.Or(provider.Kind(err), provider.ErrUnavailable)
		out.RetryAfter = provider.RetryAfter(err)
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500, status < 300:
		// Below 300: a response that isn't the API's, such as a captive portal's.
		out.Kind, out.RetryAfter = provider.ErrUnavailable, e.RetryAfter
	case status < 400:
		out.Kind, out.Hint = provider.ErrConfig, "check "+keyAPIURL
	default:
		// Any other 4xx is about the request. ErrRejected would be wrong: it may
		// cost the credential.
		out.Kind = provider.ErrConfig
	}
	return out
}

func (a account) renewHint() string {
	if a.source == sourceMinted {
		return "zen login --provider platformtoken --method " + methodBrowser
	}
	if a.source == sourceTyped {
		return "turso auth api-tokens mint NAME makes a new one; then zen login --provider platformtoken"
	}
	return "turso auth api-tokens mint NAME makes a new one; then set " + ownTokenVariable + " or " + tursoTokenVariable
}

func (a account) organizationText() string {
	if a.organization == "" {
		return "the personal organization"
	}
	return "the organization " + a.organization
}
