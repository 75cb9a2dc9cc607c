package clerk

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestM2M(t *testing.T) {
	b := newBench(t)
	server, serverKey := b.AddMachine(Machine{Name: "server"})
	worker, workerKey := b.AddMachine(Machine{Name: "worker", Scopes: []string{server}})
	_, strangerKey := b.AddMachine(Machine{Name: "stranger"})
	call := func(key, path, body string) reply {
		req := httptest.NewRequest("POST", "/clerk-backend/v1/m2m_tokens"+path, strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+key)
		return b.do(req)
	}
	r := call(workerKey, "", `{"claims":{"id":"db","a":"ro"},"seconds_until_expiration":3600}`)
	b.want(r, 201, "")
	token, id := r.body["token"].(string), r.body["id"].(string)
	if !strings.HasPrefix(token, "mt_") || r.body["subject"] != worker || r.at("scopes.0") != server {
		t.Errorf("token %s", r.raw)
	}
	for key, status := range map[string]int{serverKey: 200, workerKey: 200, "sk_test_secret": 200, strangerKey: 404} {
		if v := call(key, "/verify", `{"token":"`+token+`"}`); v.status != status || v.body["token"] != nil {
			t.Errorf("verify: %d %s, want %d", v.status, v.raw, status)
		}
	}
	if again := call(workerKey, "", `{"claims":{"id":"db","a":"ro"},"min_remaining_ttl_seconds":60}`); again.body["token"] != token {
		t.Errorf("not reused: %s", again.raw)
	}
	r = call(workerKey, "", `{"token_format":"jwt","claims":{"id":"db","sub":"user_1"}}`)
	b.want(r, 201, "")
	parsed := b.parse(r.body["token"].(string))
	claims := parsed.Claims.(jwt.MapClaims)
	if parsed.Header["cat"] != categoryM2M || claims["sub"] != worker || claims["id"] != "db" || claims["aud"] != nil || claims["jti"] != r.body["id"] {
		t.Errorf("JWT %v %v", parsed.Header, claims)
	}
	if l := b.server("GET", "/m2m_tokens?subject="+worker, ""); l.body["total_count"] != 2.0 {
		t.Errorf("list %s", l.raw)
	}
	b.want(call(strangerKey, "/"+id+"/revoke", ""), 404, "resource_not_found")
	b.want(call(workerKey, "/"+id+"/revoke", `{"revocation_reason":"x"}`), 200, "")
	b.want(call(serverKey, "/verify", `{"token":"`+token+`"}`), 404, "resource_not_found")
	b.want(call("sk_test_secret", "", `{}`), 400, "bad_request")
	b.want(call(workerKey, "", `{"token_format":"x"}`), 400, "bad_request")
	b.want(call("ak_x", "", `{}`), 401, "clerk_key_invalid")
	req := httptest.NewRequest("GET", BackendPrefix+"/users", nil)
	req.Header.Set("Authorization", "Bearer "+workerKey)
	b.want(b.do(req), 401, "clerk_key_invalid")
	b.clock = b.clock.Add(time.Hour)
	b.want(call(serverKey, "/verify", `{"token":"`+r.body["token"].(string)+`"}`), 404, "resource_not_found")
}
