package clerk

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestOwnAPIKeys checks that users can create keys only for themselves.
func TestOwnAPIKeys(t *testing.T) {
	b := newBench(t)
	alice := b.team(b.alice)
	call := func(method, path, body string) reply {
		req := httptest.NewRequest(method, path+"&_is_native=1&_clerk_session_id="+alice.sessionID, strings.NewReader(body))
		req.Header.Set("Authorization", alice.clientJWT)
		req.Header.Set("Content-Type", "application/json")
		return b.do(req)
	}
	r := call("POST", "/api_keys?", `{"name":"my key","subject":"`+b.alice+`"}`)
	b.want(r, 201, "")
	if r.body["created_by"] != b.alice || !strings.HasPrefix(r.body["secret"].(string), "ak_") {
		t.Errorf("key %s", r.raw)
	}
	b.want(b.server("POST", "/api_keys/verify", `{"secret":"`+r.body["secret"].(string)+`"}`), 200, "")
	b.want(call("POST", "/api_keys?", `{"name":"my key","subject":"`+b.bob+`"}`), 404, "resource_not_found")
	b.want(call("POST", "/api_keys?", `{"name":"my key","subject":"`+b.alice+`","scopes":["x"]}`), 400, "bad_request")
	b.want(call("POST", "/api_keys?", `[`), 400, "request_body_invalid")
	if l := call("GET", "/api_keys?subject="+b.alice, ""); l.at("data.0.name") != "my key" {
		t.Errorf("list %s", l.raw)
	}
	b.want(call("GET", "/api_keys?subject="+b.bob, ""), 404, "resource_not_found")
	b.want(call("POST", "/api_keys/"+r.body["id"].(string)+"/revoke?", `{"revocation_reason":"done"}`), 200, "")
	b.want(b.server("POST", "/api_keys/verify", `{"secret":"`+r.body["secret"].(string)+`"}`), 404, "resource_not_found")
}

func TestAPIKeys(t *testing.T) {
	b := newBench(t)
	r := b.server("POST", "/api_keys", `{"name":"ci key","subject":"`+b.alice+`","scopes":["read"],"claims":{"n":1},"seconds_until_expiration":3600}`)
	b.want(r, 200, "")
	secret, id := r.body["secret"].(string), r.body["id"].(string)
	if !strings.HasPrefix(secret, "ak_") || len(id) != 35 || r.body["expired"] != false {
		t.Errorf("key %s", r.raw)
	}
	verify := func(secret string) reply { return b.server("POST", "/api_keys/verify", `{"secret":"`+secret+`"}`) }
	v := verify(secret)
	b.want(v, 200, "")
	if v.body["subject"] != b.alice || v.body["secret"] != nil || v.at("claims.n") != 1.0 || v.body["last_used_at"] == nil {
		t.Errorf("verified %s", v.raw)
	}
	// @clerk/backend leaves the version out of the path.
	req := httptest.NewRequest("POST", "/clerk-backend/api_keys/verify", strings.NewReader(`{"secret":"`+secret+`"}`))
	req.Header.Set("Authorization", "Bearer sk_test_secret")
	b.want(b.do(req), 200, "")
	for name, tt := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"the id":           {`{"secret":"` + id + `"}`, 404, "resource_not_found"},
		"unknown":          {`{"secret":"ak_x"}`, 404, "resource_not_found"},
		"empty":            {`{"secret":""}`, 400, "bad_request"},
		"an unknown field": {`{"secret":"ak_x","token":"y"}`, 400, "bad_request"},
		"not a text":       {`{"secret":1}`, 400, "bad_request"},
	} {
		t.Run(name, func(t *testing.T) { b.want(b.server("POST", "/api_keys/verify", tt.body), tt.status, tt.code) })
	}
	if s := b.server("GET", "/api_keys/"+id+"/secret", ""); s.body["secret"] != secret {
		t.Errorf("secret %s", s.raw)
	}
	list := func(more string) reply { return b.server("GET", "/api_keys?subject="+b.alice+more, "") }
	if l := list(""); l.at("data.0.id") != id || l.at("data.0.secret") != nil {
		t.Errorf("list %s", l.raw)
	}
	b.want(b.server("GET", "/api_keys", ""), 400, "bad_request")
	b.clock = b.clock.Add(time.Hour)
	b.want(verify(secret), 404, "resource_not_found")
	if l := list("&include_invalid=true"); l.at("data.0.expired") != true || list("").at("total_count") != 0.0 {
		t.Errorf("list of expired %s", l.raw)
	}

	second := b.server("POST", "/api_keys", `{"name":"other","subject":"org_1"}`)
	id, secret = second.body["id"].(string), second.body["secret"].(string)
	b.want(verify(secret), 200, "")
	r = b.server("POST", "/api_keys/"+id+"/revoke", `{"revocation_reason":"lost"}`)
	if r.body["revoked"] != true || r.body["revocation_reason"] != "lost" {
		t.Errorf("revoked %s", r.raw)
	}
	b.want(verify(secret), 404, "resource_not_found")
	b.want(b.server("DELETE", "/api_keys/"+id, ""), 200, "")
	b.want(b.server("GET", "/api_keys/"+id, ""), 404, "resource_not_found")
	for _, body := range []string{
		`{"name":"ab","subject":"user_1"}`, `{"name":"abc","subject":"nobody"}`, `{"name":"abc"}`, `{"name":"abc","subject":"user_1","seconds_until_expiration":0}`,
		`{"name":"abc","subject":"user_1","color":"red"}`, `{"name":"abc","subject":"user_1","type":"m2m"}`,
	} {
		b.want(b.server("POST", "/api_keys", body), 400, "bad_request")
	}
}
