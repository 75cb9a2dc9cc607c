package auth0

import (
	"net/url"
	"strings"
	"testing"
)

func TestLackingParameters(t *testing.T) {
	for query, want := range map[string]string{
		"max_age=60":                             "max_age",
		"connection=google-oauth2":               "connection",
		"response_mode=form_post":                "response_mode",
		"screen_hint=signup":                     "screen_hint",
		"response_mode=query&screen_hint=login":  "",
		"max_age=&ui_locales=de&frobnicate=1":    "",
		"scope=openid&audience=https://api.test": "",
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		problem := lacking(q, lackingAuthorize)
		if (problem != nil) != (want != "") || problem != nil && (problem.status != 501 || !strings.HasSuffix(problem.text, "lacks the parameter "+want)) {
			t.Errorf("%s: lacking = %v", query, problem)
		}
	}
	if lacking(url.Values{"federated": {""}}, lackingLogout) == nil {
		t.Error("federated is a parameter without a value")
	}
}
