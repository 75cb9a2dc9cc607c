package clerk

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// errLacking returns the error for something that Clerk supports and the stand-in
// doesn't, so that it isn't silently ignored.
func errLacking(what string) *apiError {
	text := "the local stack lacks the parameter " + what
	return &apiError{status: http.StatusNotImplemented, code: "not_implemented", message: text, long: text}
}

// userFilters are the filters of the Backend API's users and of their number.
const userFilters = `phone_number external_id username web3_wallet organization_id email_address_query phone_number_query
	username_query name_query banned last_active_at_before last_active_at_after last_active_at_since created_at_before
	created_at_after last_sign_in_at_before last_sign_in_at_after provider provider_user_id starting_after order_by`

// lackingParams are the documented parameters that the endpoints of the Backend API
// (openapi-specs/bapi/2025-11-10.yml) support and the stand-in's don't, by their route.
// Parameters without any effect here are left out: no mail is ever sent, no terms have to
// be accepted, and no user needs a password.
var lackingParams = map[string]string{
	"GET /users":       userFilters,
	"GET /users/count": userFilters,
	"POST /users": `locale phone_number web3_wallet password_digest password_hasher skip_password_checks totp_secret
		backup_codes skip_user_requirement create_organizations_limit create_organization_enabled delete_self_enabled
		bypass_client_trust created_at email_address_identification_status phone_number_identification_status`,
	"PATCH /users/{id}": `locale profile_image_id password_digest password_hasher skip_password_checks
		sign_out_of_other_sessions totp_secret backup_codes create_organizations_limit create_organization_enabled
		delete_self_enabled bypass_client_trust created_at primary_email_address_id primary_phone_number_id
		primary_web3_wallet_id`,
	"GET /organizations": `include_members_count include_missing_member_with_elevated_permissions user_id
		organization_id order_by`,
	"POST /organizations":               "role_set_key",
	"GET /organizations/{organization}": "include_members_count include_missing_member_with_elevated_permissions",
	"GET /organizations/{organization}/memberships": `order_by phone_number username web3_wallet email_address_query
		phone_number_query username_query name_query last_active_at_before last_active_at_after created_at_before
		created_at_after`,
	"GET /organizations/{organization}/invitations": "order_by",
	"GET /api_keys":           "type",
	"GET /oauth_applications": "order_by",
}

// frontendForm are the fields of an endpoint of the Frontend API. What it doesn't name is
// ignored, as by Clerk, whose own client sends more than is documented, or refused where
// Clerk's description closes the list.
type frontendForm struct {
	takes  string
	lacks  string // supported by Clerk but not by the stand-in
	closed bool
}

// frontendForms are the forms of fapi/2026-05-12.yml, by their route. A field of a strategy
// that is refused needs no mention.
var frontendForms = map[string]frontendForm{
	"GET /v1/client":                                      {},
	"PUT /v1/client":                                      {},
	"POST /v1/client/sign_ins":                            {takes: signInFields, lacks: "transfer"},
	"GET /v1/client/sign_ins/{id}":                        {},
	"POST /v1/client/sign_ins/{id}/prepare_first_factor":  {takes: "strategy email_address_id"},
	"POST /v1/client/sign_ins/{id}/attempt_first_factor":  {takes: "strategy code password"},
	"POST /v1/client/sign_ins/{id}/prepare_second_factor": {takes: "strategy email_address_id"},
	"POST /v1/client/sign_ins/{id}/attempt_second_factor": {takes: "strategy code"},
	"POST /v1/client/sessions/{id}/touch":                 {takes: "active_organization_id"},
	"POST /v1/client/sessions/{id}/tokens":                {takes: "organization_id"},
	"POST /v1/client/sessions/{id}/tokens/{template}":     {},
	"PATCH /v1/me":           {takes: "first_name last_name unsafe_metadata", lacks: "primary_email_address_id primary_phone_number_id primary_web3_wallet_id", closed: true},
	"POST /v1/organizations": {takes: "name slug", closed: true},
	"POST /v1/organizations/{organization}/memberships":         {takes: "user_id role", closed: true},
	"PATCH /v1/organizations/{organization}/memberships/{user}": {takes: "role", closed: true},
	"POST /v1/organizations/{organization}/invitations":         {takes: invitationFields, closed: true},
	"POST /v1/organizations/{organization}/invitations/bulk":    {takes: invitationFields, closed: true},
	"GET /v1/me/organization_memberships":                       {takes: "limit offset paginated"},
	"GET /v1/me/organization_invitations":                       {takes: "limit offset status"},
	"GET /v1/organizations/{organization}/memberships":          {takes: "limit offset paginated query role"},
	"GET /v1/organizations/{organization}/invitations":          {takes: "limit offset status"},
	"GET /api_keys": {takes: "subject include_invalid limit offset query", lacks: "type"},
}

const (
	signInFields     = "strategy identifier password ticket"
	invitationFields = "email_address role notify"
)

// ofEveryCall are the parameters that a call may have anywhere.
var ofEveryCall = strings.Fields("_is_native _method __clerk_api_version _clerk_js_version _clerk_session_id")

// check refuses unsupported and unknown fields, and returns the ignored ones.
func (f frontendForm) check(form url.Values) (ignored []string, err error) {
	for _, name := range slices.Sorted(maps.Keys(form)) {
		field := strings.TrimSuffix(name, "[]")
		value := form.Get(name)
		switch {
		case slices.Contains(ofEveryCall, name), slices.Contains(strings.Fields(f.takes), field):
		case slices.Contains(strings.Fields(f.lacks), field):
			if value != "" && value != "false" {
				return nil, errLacking(field)
			}
		case f.closed:
			return nil, errParamUnknown(name)
		default:
			ignored = append(ignored, name)
		}
	}
	return ignored, nil
}

// lacking refuses a request with a parameter that the route lacks. An empty value, or one
// that turns off what is off here, is accepted.
func lacking(route string, query url.Values, body params) error {
	for name := range strings.FieldsSeq(lackingParams[route]) {
		for _, value := range query[name] {
			if value != "" && value != "false" {
				return errLacking(name)
			}
		}
		switch value := string(body[name]); value {
		case "", "null", "false", `""`, "[]", "{}":
		default:
			return errLacking(name)
		}
	}
	return nil
}
