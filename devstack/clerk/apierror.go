package clerk

import (
	"fmt"
	"net/http"
)

// apiError is one error of Clerk's catalogue, sent as ClerkErrors.
type apiError struct {
	status  int
	code    string
	message string
	long    string
	meta    object
	header  http.Header
	html    string // the body of a response that isn't Clerk's
}

func (e *apiError) Error() string { return e.code + ": " + e.long }

// The catalogue: code, status and texts are Clerk's own.

func errSignedOut() *apiError {
	return &apiError{status: 401, code: "signed_out", message: "Signed out", long: "You are signed out"}
}

func errAuthenticationInvalid() *apiError {
	return &apiError{status: 401, code: "authentication_invalid", message: "Invalid authentication",
		long: "Unable to authenticate the request, you need to supply an active session"}
}

func errAuthorizationFormat() *apiError {
	return &apiError{status: 401, code: "authorization_header_format_invalid", message: "Invalid Authorization header format",
		long: "Invalid Authorization header format. Must be 'Bearer <YOUR_API_KEY>'"}
}

func errSecretKeyInvalid() *apiError {
	const text = "The provided Clerk Secret Key is invalid. Make sure that your Clerk Secret Key is correct."
	return &apiError{status: 401, code: "clerk_key_invalid", message: text, long: text}
}

func errBrowserUnauthenticated() *apiError {
	return &apiError{status: 401, code: "dev_browser_unauthenticated", message: "Browser unauthenticated",
		long: "Unable to authenticate this browser for your development instance. Check your Clerk cookies and try again. " +
			"If the issue persists reach out to support@clerk.com."}
}

func errNativeDisabled() *apiError {
	return &apiError{status: 400, code: "native_api_disabled", message: "Native API disabled",
		long: "The Native API is disabled for this instance. Visit the Clerk Dashboard to enable it."}
}

func errOriginConflict() *apiError {
	return &apiError{status: 400, code: "origin_authorization_headers_conflict",
		message: "Setting both the 'Origin' and 'Authorization' headers is forbidden",
		long: "For security purposes, only one of the 'Origin' and 'Authorization' headers should be provided, but not both. " +
			"In browser contexts, the 'Origin' header is set automatically by the browser. " +
			"In native application contexts (e.g. mobile apps), set the 'Authorization' header."}
}

func errVersion(reason string) *apiError {
	return &apiError{status: 400, code: "api_version_invalid", message: "invalid API version",
		long: "Invalid Clerk API version: " + reason}
}

func errNotFound() *apiError {
	return &apiError{status: 404, code: "resource_not_found", message: "not found", long: "Resource not found"}
}

func errURLNotFound() *apiError {
	return &apiError{status: 404, code: "resource_not_found", message: "URL not found", long: "The URL was not found"}
}

func errSessionNotFound(id string) *apiError {
	return &apiError{status: 404, code: "resource_not_found", message: "Session not found",
		long: "No session was found with id " + id}
}

func errTemplateNotFound(name string) *apiError {
	return &apiError{status: 404, code: "resource_not_found", message: "JWT template not found",
		long: "No JWT template exists with name: " + name}
}

// errTokenNotFound has no code that Clerk documents; its SDKs look at the status.
func errTokenNotFound(kind string) *apiError {
	return &apiError{status: 404, code: "resource_not_found", message: "Not Found", long: kind + " not found"}
}

func errUserNotFound(id string) *apiError {
	return &apiError{status: 404, code: "resource_not_found", message: "not found", long: "No user was found with id " + id}
}

func errSignInNotFound(id string) *apiError {
	return &apiError{status: 404, code: "resource_not_found", message: "not found", long: "No sign in was found with id " + id}
}

func errOrganizationNotFound() *apiError {
	return &apiError{status: 404, code: "resource_not_found", message: "not found", long: "Given organization not found."}
}

func errOrganizationUnauthorized() *apiError {
	return &apiError{status: 404, code: "organization_not_found_or_unauthorized", message: "not found or unauthorized",
		long: "Given organization not found, or you don't have permission to access the organization"}
}

func errMissingPermission(permission string) *apiError {
	return &apiError{status: 403, code: "missing_organization_permission", message: "missing permission",
		long: "Current user is missing an organization permission.", meta: object{"permissions": []string{permission}}}
}

func errAlreadyMember(who string) *apiError {
	return &apiError{status: 400, code: "already_a_member_in_organization", message: "already a member",
		long: who + " is already a member of the organization."}
}

func errMinimumPermissions() *apiError {
	return &apiError{status: 400, code: "organization_minimum_permissions_needed", message: "minimum organization permissions needed",
		long: "There has to be at least one organization member with the minimum required permissions"}
}

func errMembershipQuota(limit int) *apiError {
	return &apiError{status: 403, code: "organization_membership_quota_exceeded", message: "organization membership quota exceeded",
		long: fmt.Sprintf("You have reached your limit of %d organization memberships, including outstanding invitations.", limit)}
}

func errInvitationNotUnique() *apiError {
	return &apiError{status: 400, code: "organization_invitation_not_unique", message: "organization invitation not unique",
		long: "Organizations cannot have duplicate pending invitations for an email address."}
}

func errInvitationNotFound(id string) *apiError {
	return &apiError{status: 404, code: "organization_invitation_not_found", message: "not found",
		long: "No invitation found with id " + id + "."}
}

func errInvitationNotPending() *apiError {
	return &apiError{status: 404, code: "organization_invitation_not_pending", message: "not pending",
		long: "The organization invitation is not in the 'pending' status."}
}

func errInvitationAccepted() *apiError {
	return &apiError{status: 400, code: "organization_invitation_already_accepted", message: "invitation has already been accepted",
		long: "This invitation has already been accepted. Sign in instead."}
}

func errInvitationRevoked() *apiError {
	return &apiError{status: 400, code: "organization_invitation_revoked_code", message: "invitation has been revoked",
		long: "This invitation has been revoked and cannot be used anymore."}
}

func errNotMember() *apiError {
	return &apiError{status: 403, code: "not_a_member_in_organization", message: "not a member",
		long: "Current user is not a member of the organization. Only organization members can perform this action."}
}

func errSessionExists() *apiError {
	return &apiError{status: 400, code: "session_exists", message: "Session already exists", long: "You're already signed in."}
}

func errTicketInvalid() *apiError {
	return &apiError{status: 400, code: "ticket_invalid_code", message: "ticket is invalid",
		long: "This ticket is invalid. Make sure you're using a valid ticket generated by Clerk."}
}

func errTicketExpired() *apiError {
	return &apiError{status: 400, code: "ticket_expired_code", message: "ticket has expired",
		long: "This ticket has expired and cannot be used anymore."}
}

func errTicketUsed() *apiError {
	return &apiError{status: 400, code: "sign_in_token_already_used_code", message: "sign in token has already been used",
		long: "This sign in token has already been used. Each token can only be used once."}
}

func errTicketRevoked() *apiError {
	return &apiError{status: 400, code: "sign_in_token_revoked_code", message: "sign in token has been revoked",
		long: "This sign in token has been revoked and cannot be used anymore."}
}

func errTicketNotPending(status string) *apiError {
	return &apiError{status: 400, code: "sign_in_token_cannot_be_revoked_code", message: "cannot revoke",
		long: "Sign in token cannot be revoked because its status is " + status + ". Only pending tokens can be revoked."}
}

func errParamMissing(name string) *apiError {
	return &apiError{status: 422, code: "form_param_missing", message: "is missing",
		long: name + " must be included.", meta: object{"param_name": name}}
}

func errParamUnknown(name string) *apiError {
	return &apiError{status: 422, code: "form_param_unknown", message: "is unknown",
		long: name + " is not a valid parameter for this request.", meta: object{"param_name": name}}
}

func errParamValue(name, value string) *apiError {
	return &apiError{status: 422, code: "form_param_value_invalid", message: "is invalid",
		long: fmt.Sprintf("%s does not match one of the allowed values for parameter %s", value, name),
		meta: object{"param_name": name}}
}

func errParamInvalid(name string) *apiError {
	return &apiError{status: 422, code: "form_param_value_invalid", message: "is invalid",
		long: name + " is invalid", meta: object{"param_name": name}}
}

func errIdentifierExists(name, text string) *apiError {
	return &apiError{status: 422, code: "form_identifier_exists", message: text, long: text, meta: object{"param_name": name}}
}

func errPasswordTooShort() *apiError {
	const text = "Passwords must be 8 characters or more."
	return &apiError{status: 422, code: "form_password_length_too_short", message: text, long: text, meta: object{"param_name": "password"}}
}

func errReservedClaim(name string) *apiError {
	return &apiError{status: 400, code: "jwt_template_reserved_claim", message: "reserved claim used",
		long: "You can't use the reserved claim: '" + name + "'", meta: object{"param_name": "claims"}}
}

func errAPIKeysDisabled() *apiError {
	return &apiError{status: 422, code: "api_keys_not_enabled", message: "API Keys not enabled", long: "API Keys not enabled"}
}

func errIdentifierNotFound() *apiError {
	const text = "Couldn't find your account."
	return &apiError{status: 422, code: "form_identifier_not_found", message: text, long: text,
		meta: object{"param_name": "identifier"}}
}

func errPasswordIncorrect() *apiError {
	const text = "Password is incorrect. Try again, or use another method."
	return &apiError{status: 422, code: "form_password_incorrect", message: text, long: text,
		meta: object{"param_name": "password"}}
}

func errStrategyInvalid() *apiError {
	return &apiError{status: 400, code: "strategy_for_user_invalid", message: "Invalid verification strategy",
		long: "The verification strategy is not valid for this account"}
}

func errCodeIncorrect() *apiError {
	return &apiError{status: 422, code: "form_code_incorrect", message: "is incorrect", long: "Incorrect code",
		meta: object{"param_name": "code"}}
}

func errNoSecondFactors(strategy string) *apiError {
	return &apiError{status: 400, code: "no_second_factors", message: "no second factors",
		long: "No second factors were found for strategy " + strategy + "."}
}

func errUserBanned() *apiError {
	return &apiError{status: 403, code: "user_banned", message: "User banned",
		long: "You have been banned. If you think this was by mistake, please contact support."}
}

func errUserLocked() *apiError {
	return &apiError{status: 403, code: "user_locked", message: "Account locked",
		long: "Your account is locked. For more information, please contact support."}
}

func errCodeTooMany() *apiError {
	return &apiError{status: 429, code: "verification_code_too_many_requests", message: "Too many verification code requests",
		long:   "Too many verification code requests. Please wait at least 30 seconds to receive your code before trying again.",
		header: http.Header{"Retry-After": {"30"}}}
}

func errSatellite() *apiError {
	return &apiError{status: 403, code: "operation_not_allowed_on_satellite_domain", message: "operation not allowed",
		long: "This operation is not allowed on a satellite domain. Try again using the primary domain of your instance."}
}

func errVerificationMissing() *apiError {
	return &apiError{status: 400, code: "verification_missing", message: "is missing",
		long: "This strategy requires verification preparation before attempting to validate it."}
}

func errVerificationExpired() *apiError {
	return &apiError{status: 400, code: "verification_expired", message: "expired",
		long: "This verification has expired. You must create a new one."}
}

func errVerificationFailed() *apiError {
	return &apiError{status: 400, code: "verification_failed", message: "failed",
		long: "Too many failed attempts. You have to try again with the same or another method."}
}

func errVerificationDone() *apiError {
	return &apiError{status: 400, code: "verification_already_verified", message: "already verified",
		long: "This verification has already been verified."}
}

func errEnvironment() *apiError {
	return &apiError{status: 400, code: "request_invalid_for_environment", message: "Invalid request for environment",
		long: "Request only valid for development instances."}
}

func errBody() *apiError {
	return &apiError{status: 400, code: "request_body_invalid", message: "Request body invalid",
		long: "The request body is invalid. Please consult the API documentation for more information."}
}

func errMalformed() *apiError {
	return &apiError{status: 400, code: "malformed_request_parameters", message: "Malformed request parameters",
		long: "The request parameters are malformed and could not be parsed"}
}

func errBodyTooLarge() *apiError {
	return &apiError{status: 413, code: "request_body_too_large", message: "Request body too large",
		long: fmt.Sprintf("The request body exceeds the maximum allowed size of %d bytes.", maxBody)}
}

func errTooManyRequests(seconds string) *apiError {
	return &apiError{status: 429, code: "too_many_requests", message: "Too many requests",
		long: "Too many requests, retry later", header: http.Header{"Retry-After": {seconds}}}
}

func errServiceUnavailable() *apiError {
	return &apiError{status: 503, code: "service_unavailable", message: "Service unavailable", long: "Service unavailable"}
}

func errInternal() *apiError {
	return &apiError{status: 500, code: "internal_clerk_error", message: "Oops, an unexpected error occurred",
		long: "There was an internal error on our servers. We've been notified and are working on fixing it."}
}
