package libsql_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
)

const testID = "33057661-834e-4891-9b48-802d425d02b9"

// oneToken is a source with one token, for the database testID.
type oneToken struct{ libsql.Source }

func (oneToken) Token(context.Context) (provider.Token, error) {
	part := base64.RawURLEncoding.EncodeToString
	header, claims := []byte(`{"alg":"RS256"}`), []byte(`{"id":"`+testID+`","a":"ro"}`)
	return provider.Token{Value: provider.NewSecret(part(header) + "." + part(claims) + ".AA")}, nil
}

// TestSomethingInBetween checks that an answer from a proxy or a captive portal in the
// database's place is ErrUnavailable with its cause, and not a protocol error.
func TestSomethingInBetween(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"captive portal": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html>sign in</html>"))
		},
		"page without a type": func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Type"] = nil
			_, _ = w.Write([]byte("<html>sign in</html>"))
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://portal.example/", http.StatusFound)
		},
		"proxy's sign-in": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) },
		"gateway's error": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write([]byte("<html>bad gateway</html>"))
		},
		"other protocol": func(w http.ResponseWriter, r *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			_, _ = c.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"))
			_, _ = c.Read(make([]byte, 1)) // until the client hangs up
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(answer)
			defer server.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			db, err := libsql.Open(ctx, libsql.Options{
				Target: provider.Target{URL: server.URL, DatabaseID: testID}, Access: provider.AccessReadOnly, Source: oneToken{},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			err = libsql.Explain(db.PingContext(ctx))
			if !errors.Is(err, provider.ErrUnavailable) || !strings.Contains(err.Error()+provider.Hint(err), "between") || ctx.Err() != nil {
				t.Errorf("got %v, hint %q", err, provider.Hint(err))
			}
		})
	}
}
