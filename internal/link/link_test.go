package link

import (
	"context"
	"encoding/base64"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/transport"
)

const testID = "33057661-834e-4891-9b48-802d425d02b9"

// oneToken is a source with one token, for the database testID.
type oneToken struct{ transport.Source }

func (oneToken) Token(context.Context) (provider.Token, error) {
	part := base64.RawURLEncoding.EncodeToString
	header, claims := []byte(`{"alg":"RS256"}`), []byte(`{"id":"`+testID+`","a":"ro"}`)
	return provider.Token{Value: provider.NewSecret(part(header) + "." + part(claims) + ".AA")}, nil
}

// TestTimeoutIsTheTransports checks that the timeout is also the transport's: a gateway has
// no other, and a shorter one would cut off the driver's.
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
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	remote, err := Dial(Config{
		Target: provider.Target{URL: server.URL, DatabaseID: testID}, Address: address, Access: provider.AccessReadOnly,
		Source: oneToken{}, Timeout: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer remote.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // against a hang
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/info", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := remote.Transport.RoundTrip(req)
	if err == nil {
		resp.Body.Close()
		t.Fatalf("answered %s", resp.Status)
	}
	if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() || ctx.Err() != nil {
		t.Errorf("RoundTrip: %v, want a timeout", err)
	}
}

// TestBase checks that HTTP/2 pings are on: a dead connection must be noticed, and not only
// by the timeouts of the requests sent on it.
func TestBase(t *testing.T) {
	if h2 := NewBase().HTTP2; h2 == nil || h2.SendPingTimeout <= 0 || h2.PingTimeout <= 0 {
		t.Error("HTTP/2 pings are off")
	}
}
