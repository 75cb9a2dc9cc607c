package httpclient_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/provider"
)

func TestAnswersOfSomethingInBetween(t *testing.T) {
	for _, test := range []struct {
		status      int
		contentType string
		want        string // empty if the answer is the server's own
	}{
		{200, "application/json", ""},
		{200, "", ""},
		{200, "text/html; charset=utf-8", "a web page with status 200"},
		{302, "text/html", ""}, // redirects are left to the caller
		{401, "text/html", ""},
		{404, "text/html", ""},
		{407, "", "407"},
		{407, "application/json", "407"},
		{502, "text/html", "a web page with status 502"},
		{502, "application/json", ""},
		{511, "text/html", "511"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", test.contentType)
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(test.status)
			io.WriteString(w, "<html>secret</html>")
		}))
		resp, err := httpclient.Client().Get(server.URL)
		if test.want == "" {
			if err != nil || resp.StatusCode != test.status {
				t.Errorf("status %d %s: %v, want the server's answer", test.status, test.contentType, err)
			} else {
				resp.Body.Close()
			}
		} else if !errors.Is(err, provider.ErrUnavailable) || !strings.Contains(err.Error(), test.want) || provider.RetryAfter(err) != 7*time.Second {
			t.Errorf("status %d %s: %v, want ErrUnavailable with a retry-after of 7 s", test.status, test.contentType, err)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error contains the page: %v", err)
		}
		server.Close()
	}
}

// A page that never ends isn't waited for.
func TestPageThatStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, "GET", "https://app.turso.io/info", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = httpclient.Wrap(stopping{}).RoundTrip(req)
		if err == nil || !strings.Contains(err.Error(), "a web page with status 200") {
			t.Errorf("Get of a page that stops: %v, want a web page with status 200", err)
		}
	})
}

// stopping answers with a page that stops after its first bytes.
type stopping struct{}

// RoundTrip implements http.RoundTripper.
func (stopping) RoundTrip(*http.Request) (*http.Response, error) {
	body, stops := io.Pipe()
	go io.WriteString(stops, "<html>")
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/html"}}, Body: body}, nil
}

// A caller that asks for another protocol gets it.
func TestAskedForProtocol(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Upgrade", r.Header.Get("Upgrade"))
		w.Header().Set("Connection", "Upgrade")
		w.WriteHeader(http.StatusSwitchingProtocols)
	}))
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Upgrade", "websocket")
	req.Header.Set("Connection", "Upgrade")
	resp, err := httpclient.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, ok := resp.Body.(io.Writer); !ok || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("status %d with a body of type %T, want 101 and a writer", resp.StatusCode, resp.Body)
	}
}

// An unrequested change of protocol closes the connection, which no context would end.
func TestSwitchingProtocols(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	closed := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			closed <- err
			return
		}
		defer c.Close()
		if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
			closed <- err
			return
		}
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
		_, err = io.Copy(io.Discard, c) // until the client hangs up
		closed <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+l.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := httpclient.Client().Do(req); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("an unrequested change of protocol: %v, want ErrUnavailable", err)
	}
	if err := <-closed; err != nil {
		t.Errorf("the connection was not closed: %v", err)
	}
	if ctx.Err() != nil {
		t.Error("the request lasted until the deadline")
	}
}

func TestUnknownAuthority(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	_, err := httpclient.Client().Get(server.URL)
	if !errors.Is(err, provider.ErrUnavailable) || !strings.Contains(provider.Hint(err), "SSL_CERT_FILE") {
		t.Errorf("got %v, hint %q", err, provider.Hint(err))
	}
}

func TestRetryAfter(t *testing.T) {
	const date = "Mon, 30 Nov 2026 12:00:00 GMT"
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "999999": 24 * time.Hour,
		"Mon, 30 Nov 2026 12:01:30 GMT": 90 * time.Second, "Mon, 30 Nov 2026 11:00:00 GMT": 0,
	} {
		if got := httpclient.RetryAfter(http.Header{"Retry-After": {value}, "Date": {date}}); got != want {
			t.Errorf("RetryAfter(%q) = %s, want %s", value, got, want)
		}
	}
	if got := httpclient.RetryAfter(http.Header{"Retry-After": {date}}); got != 0 {
		t.Errorf("RetryAfter without a Date header = %s, want 0", got)
	}
}

// An answer of exactly the limit is read whole; a longer one is refused.
func TestReadAll(t *testing.T) {
	for most, want := range map[int64]string{4 << 10: "larger than 4 KiB", 2 << 20: "larger than 2 MiB"} {
		whole := strings.Repeat("x", int(most))
		if data, err := httpclient.ReadAll(strings.NewReader(whole), most); err != nil || string(data) != whole {
			t.Errorf("%d bytes: %d, %v", most, len(data), err)
		}
		data, err := httpclient.ReadAll(strings.NewReader(whole+"y"), most)
		if !errors.Is(err, httpclient.ErrTooLarge) || !strings.Contains(err.Error(), want) || string(data) != whole {
			t.Errorf("a byte more than %d: %d, %v", most, len(data), err)
		}
	}
}
