package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

func FuzzAPIError(f *testing.F) {
	f.Add(401, `{"errors":[{"message":"Signed out","long_message":"x","code":"signed_out"}],"clerk_trace_id":"t"}`)
	f.Add(404, `{"errors":[{"code":"resource_not_found"}]}`)
	f.Add(403, `<html>blocked</html>`)
	f.Add(429, `{"errors":[{"code":"x","message":"a\u001b[31m"}]}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		err := apiError("try", &http.Response{StatusCode: status, Header: http.Header{}}, []byte(body))
		text := err.Error()
		if provider.Kind(err) == nil || len(text) > 512 || strings.ContainsAny(text, "\n\r\x1b\x00") {
			t.Fatalf("%q", text)
		}
		if status >= 500 && provider.Kind(err) != provider.ErrUnavailable {
			t.Fatalf("%d is %v", status, provider.Kind(err))
		}
	})
}

func FuzzDecodeCredential(f *testing.F) {
	p := newProvider("")
	key := encodeKey("pk_test_", "clerk.example.com$")
	if _, err := p.Configure(f.Context(), provider.Settings{keyPublishableKey: provider.NewSecret(key)}); err != nil {
		f.Fatal(err)
	}
	good := p.sessionCredential(&session{id: testSession, client: provider.NewSecret("a.b.c")}, "", p.now())
	f.Add(good.Data.Reveal())
	f.Add(`{"v":1,"session":"sess_/../x"}`)
	f.Fuzz(func(t *testing.T, data string) {
		held, err := p.decodeCredential(provider.Credential{Data: provider.NewSecret(data)})
		if err != nil {
			return
		}
		if held.session == nil && held.token.IsZero() || held.session != nil && strings.ContainsAny(held.session.id, "/?#.% ") {
			t.Fatalf("%+v", held)
		}
	})
}
