package clerk

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/text"
)

const loginHint = "run zen login"

// AnswerError is Clerk's answer behind a provider.Error.
type AnswerError struct {
	Status int
	Code   string
}

func (e *AnswerError) Error() string { return fmt.Sprintf("HTTP %d, %s", e.Status, e.Code) }

// Code returns the code of Clerk's answer in the chain of err, or "".
func Code(err error) string {
	if answer, ok := errors.AsType[*AnswerError](err); ok {
		return answer.Code
	}
	return ""
}

// Refusal turns an answer other than 200 into an error. A 4xx counts as Clerk's
// word only in Clerk's form: a proxy's 403 must not end a session.
func Refusal(what string, res *http.Response, body []byte) error {
	var answer struct {
		Errors []struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"errors"`
		Trace string `json:"clerk_trace_id"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Errors) == 0 || !isCode(answer.Errors[0].Code) {
		failure := Unavailable(what, "HTTP "+strconv.Itoa(res.StatusCode)+" that is not Clerk's: is there a proxy between?")
		if res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests {
			failure.Message = "clerk: " + what + ": HTTP " + strconv.Itoa(res.StatusCode)
			failure.RetryAfter = httpclient.RetryAfter(res.Header)
		}
		return failure
	}
	first := answer.Errors[0]
	text := first.Code
	if message := Harmless(first.Message); message != "" {
		text = message + " (" + first.Code + ")"
	}
	text = fmt.Sprintf("clerk: %s: %s, HTTP %d", what, text, res.StatusCode)
	// clerk/javascript falls back to cf-ray, too.
	for _, trace := range []string{answer.Trace, res.Header.Get("Cf-Ray")} {
		if isCode(trace) {
			text += ", trace " + trace
			break
		}
	}
	failure := &provider.Error{
		Kind: provider.ErrRejected, Message: text, Err: &AnswerError{Status: res.StatusCode, Code: first.Code},
	}
	switch code := first.Code; {
	case res.StatusCode == http.StatusTooManyRequests, res.StatusCode >= 500:
		failure.Kind, failure.RetryAfter = provider.ErrUnavailable, httpclient.RetryAfter(res.Header)
	case code == "native_api_disabled":
		failure.Kind = provider.ErrConfig
		failure.Hint = "enable the Native API: https://dashboard.clerk.com/last-active?path=native-applications"
	case code == "organization_not_found_or_unauthorized", code == "not_a_member_in_organization":
		failure.Kind = provider.ErrPermission
		failure.Hint = "is it the slug or id of an organization that you are a member of?"
	case code == "operation_not_allowed_on_satellite_domain":
		failure.Kind = provider.ErrConfig
		failure.Hint = "people sign in at the instance's primary domain: take proxy_url out, or set it to that domain's"
	case code == "missing_organization_permission":
		failure.Kind = provider.ErrPermission
		failure.Hint = "who manages the members of the organization may do this: zen team list shows the roles"
	case code == "organization_membership_quota_exceeded":
		failure.Kind = provider.ErrPermission
		failure.Hint = "the limit counts members and pending invitations: revoke or remove some, or raise it in the Clerk dashboard"
	case code == "organization_not_enabled_in_instance":
		failure.Kind = provider.ErrConfig
		failure.Hint = "organizations are switched on in the Clerk dashboard"
	case code == "form_identifier_not_found":
		failure.Hint = "is it an address of an account of this app?"
	case code == "user_banned", code == "user_locked":
		failure.Hint = "who administers the app in the Clerk dashboard can let you in again"
	case strings.HasPrefix(code, "sign_in_token_"), strings.HasPrefix(code, "ticket_"):
		failure.Hint = "each ticket is good once, for seconds: run zen login again"
	case res.StatusCode == http.StatusUnauthorized:
		failure.Hint = loginHint
	}
	return failure
}

// isCode accepts codes and trace ids, and nothing that could hold a secret.
func isCode(s string) bool {
	for _, c := range []byte(s) {
		if !isAlphanumeric(c) && c != '_' && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// Harmless returns a server's sentence in a form fit for a terminal, or "" if a
// word is so long that it could be a ticket or a token.
func Harmless(message string) string { return text.Sentence(message, 30) }
