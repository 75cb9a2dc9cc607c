package libsql_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/transport"
)

const testID = "33057661-834e-4891-9b48-802d425d02b9"

// oneToken is a source of a token for the database testID.
type oneToken struct{ transport.Source }

func (oneToken) Token(context.Context) (provider.Token, error) {
	part := base64.RawURLEncoding.EncodeToString
	header, claims := []byte(`{"alg":"RS256"}`), []byte(`{"id":"`+testID+`","a":"ro"}`)
	return provider.Token{Value: provider.NewSecret(part(header) + "." + part(claims) + ".AA")}, nil
}

// TestTimeoutIsTheTransports, too: a gateway has no other, and the driver's must not be
// cut short by it.
func TestTimeoutIsTheTransports(t *testing.T) {
	silent := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-silent:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(silent)
	link, err := libsql.Dial(libsql.Options{
		Target: provider.Target{URL: server.URL, DatabaseID: testID}, Access: provider.AccessReadOnly,
		Source: oneToken{}, Timeout: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/info", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := link.Transport.RoundTrip(req)
	if err == nil {
		resp.Body.Close()
		t.Fatalf("answered %s", resp.Status)
	}
	if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() || ctx.Err() != nil {
		t.Errorf("%v", err)
	}
}

// TestSomethingInBetween holds that what a proxy or a network's sign-in page answers in
// the database's place is an outage, with its cause, and no error of the protocol.
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

// TestBase: a connection of HTTP/2 that is dead must be found out, and not only by the
// timeouts of all that is sent on it.
func TestBase(t *testing.T) {
	if h2 := libsql.NewBase().HTTP2; h2 == nil || h2.SendPingTimeout <= 0 || h2.PingTimeout <= 0 {
		t.Error("no pings")
	}
}
