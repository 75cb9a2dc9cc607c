package clerk

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// What Clerk acts on and the stand-in lacks is refused; what is empty, or off, is not.
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
			t.Errorf("%s %s %s: %v", tt.route, tt.query, tt.body, err)
		}
	}
}
