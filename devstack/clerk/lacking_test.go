package clerk

import (
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Parameters that Clerk supports and the stand-in lacks are refused, unless they are
// empty or off.
func TestLackingParameters(t *testing.T) {
	for route := range lackingParams {
		if backendHandlers[route] == nil {
			t.Errorf("%s is no route", route)
		}
	}
	for _, tt := range []struct {
		route, query string
		body         params
		want         string
	}{
		{"GET /users", "order_by=-created_at", nil, "order_by"},
		{"GET /users", "email_address=a@b.test&query=x&limit=1&frobnicate=1", nil, ""},
		{"GET /organizations", "include_members_count=false", nil, ""},
		{"GET /organizations", "include_members_count=true", nil, "include_members_count"},
		{"POST /users", "", params{"phone_number": []byte(`["+15555550100"]`)}, "phone_number"},
		{"POST /users", "", params{"phone_number": []byte(`[]`), "totp_secret": []byte("null"), "skip_password_requirement": []byte("true")}, ""},
		{"POST /organizations", "", params{"role_set_key": []byte(`"x"`)}, "role_set_key"},
	} {
		r := httptest.NewRequest("GET", "/?"+tt.query, nil)
		err := lacking(tt.route, r.URL.Query(), tt.body)
		if (err != nil) != (tt.want != "") || err != nil && (!strings.Contains(err.Error(), "lacks the parameter "+tt.want) || err.(*apiError).status != 501) {
			t.Errorf("%s %s %s: lacking = %v", tt.route, tt.query, tt.body, err)
		}
	}
}

// The same goes for the Frontend API, whose ignored fields are recorded with the request.
func TestFrontendForms(t *testing.T) {
	for _, tt := range []struct {
		route, form, ignored, code string
		status                     int
	}{
		{"POST /v1/client/sign_ins", "strategy=ticket&ticket=x&redirect_url=u&locale=en", "locale redirect_url", "", 0},
		{"POST /v1/client/sign_ins", "transfer=true", "", "not_implemented", 501},
		{"POST /v1/client/sign_ins", "transfer=false", "", "", 0},
		{"POST /v1/client/sessions/{id}/tokens", "organization_id=&tab_state=focused&_is_native=1", "tab_state", "", 0},
		{"PATCH /v1/me", "username=alice&_method=PATCH", "", "form_param_unknown", 422},
		{"PATCH /v1/me", "primary_email_address_id=idn_x", "", "not_implemented", 501},
		{"POST /v1/organizations", "name=x&max_allowed_memberships=7", "", "form_param_unknown", 422},
		{"POST /v1/organizations/{organization}/memberships", "user_id=x&role=y&public_metadata={}", "", "form_param_unknown", 422},
		{"POST /v1/organizations/{organization}/invitations/bulk", "email_address[]=a@b.test&role=y", "", "", 0},
		{"GET /v1/organizations/{organization}/memberships", "role[]=y&order_by=name", "order_by", "", 0},
		{"GET /api_keys", "type=api_key", "", "not_implemented", 501},
	} {
		form, err := url.ParseQuery(tt.form)
		if err != nil {
			t.Fatal(err)
		}
		ignored, err := frontendForms[tt.route].check(form)
		if got := strings.Join(ignored, " "); got != tt.ignored {
			t.Errorf("%s %s: ignored %q", tt.route, tt.form, got)
		}
		refused := new(apiError)
		if errors.As(err, &refused); refused.code != tt.code || refused.status != tt.status {
			t.Errorf("%s %s: %v", tt.route, tt.form, err)
		}
	}
	for route := range frontendForms {
		if frontendHandlers[route] == nil {
			t.Errorf("%s is no route", route)
		}
	}
}
