package clerk

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/provider"
)

func TestInstantsInBothMagnitudes(t *testing.T) {
	want := time.Date(2024, 5, 28, 8, 0, 0, 0, time.UTC)
	for _, n := range []int64{want.Unix(), want.UnixMilli()} {
		if got := instant(n); !got.Equal(want) {
			t.Errorf("instant(%d) = %v, want %v", n, got, want)
		}
	}
	if !instant(0).IsZero() || !instant(-1).IsZero() {
		t.Error("instant(0) or instant(-1) is not the zero time")
	}
}

func TestKindOfKey(t *testing.T) {
	for key, want := range map[string]KeyKind{
		"sk_test_x": KeySecret, "pk_live_x": KeyPublishable, "mt_x": KeyMachine,
		"ak_LCWGdaM8mv8K4PC/57IICZQXAeWfCgF30DZaFXHoGn9=": KeyAPI, // from Clerk's documentation
		"ak_3beecc9c60adb5f9b850e91a8ee1e992":             KeyAPIID,
		"eyJhbGciOiJSUzI1NiJ9.e30.x":                      KeyJWT,
		"":                                                KeyUnknown, "ak_": KeyUnknown, "ak_a b": KeyUnknown, "password": KeyUnknown,
	} {
		if got := KindOfKey(key); got != want {
			t.Errorf("KindOfKey(%q) = %q, want %q", key, got, want)
		}
	}
}

// Clerk's answer about a secret key means a wrong setting, unless it is about the API key.
func TestBackendErrors(t *testing.T) {
	const planted = "planted-key"
	for name, test := range map[string]struct {
		status int
		body   string
		want   error
		text   string
	}{
		"unknown key":       {404, `{"errors":[{"code":"resource_not_found","message":"Not Found"}]}`, provider.ErrRejected, "no such key"},
		"wrong secret key":  {401, `{"errors":[{"code":"clerk_key_invalid","message":"bad"}]}`, provider.ErrConfig, "clerk_key_invalid"},
		"forbidden":         {403, `{"errors":[{"code":"authorization_invalid","message":"no"}]}`, provider.ErrPermission, ""},
		"switched off":      {422, `{"errors":[{"code":"api_keys_not_enabled","message":"off"}]}`, provider.ErrConfig, "api_keys_not_enabled"},
		"bad request":       {400, `{"errors":[{"code":"bad_request","message":"Bad Request"}]}`, provider.ErrConfig, ""},
		"down":              {503, `{"errors":[{"code":"service_unavailable","message":"down"}]}`, provider.ErrUnavailable, ""},
		"too many":          {429, `{"errors":[{"code":"too_many_requests","message":"slow"}]}`, provider.ErrUnavailable, ""},
		"a proxy's page":    {403, `<html>planted-key</html>`, provider.ErrUnavailable, ""},
		"not JSON":          {200, `<html>`, provider.ErrUnavailable, ""},
		"no subject":        {200, `{"id":"ak_1"}`, provider.ErrUnavailable, "no id and subject"},
		"a path as subject": {200, `{"id":"ak_1","subject":"user_../x"}`, provider.ErrUnavailable, "no id and subject"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer sk_test_planted" || strings.Contains(r.URL.String(), "planted") {
				t.Errorf("%s: the request was %s with %v, want the secret key in the header alone", name, r.URL, r.Header)
			}
			w.WriteHeader(test.status)
			_, _ = w.Write([]byte(test.body))
		}))
		b := NewBackend(server.URL, provider.NewSecret("sk_test_planted"), httpclient.Over(http.DefaultTransport), "test")
		_, err := b.VerifyAPIKey(t.Context(), provider.NewSecret(planted))
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) || strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: VerifyAPIKey = %v, want %v with %q", name, err, test.want, test.text)
		}
		server.Close()
	}
}
