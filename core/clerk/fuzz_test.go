package clerk

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
		err := Refusal("try", &http.Response{StatusCode: status, Header: http.Header{}}, []byte(body))
		text := err.Error()
		if provider.Kind(err) == nil || len(text) > 512 || strings.ContainsAny(text, "\n\r\x1b\x00") {
			t.Fatalf("Refusal = %q, want one short line of a known kind", text)
		}
		if status >= 500 && provider.Kind(err) != provider.ErrUnavailable {
			t.Fatalf("status %d is %v, want ErrUnavailable", status, provider.Kind(err))
		}
	})
}
