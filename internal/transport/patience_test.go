package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/transport"
)

// clock issues tokens that live for two seconds, as a session does: a new one when a fifth of
// the life is left, and after a refusal at most one in half a minute.
type clock struct {
	t       *testing.T
	token   provider.Token
	made    int
	renewed time.Time
}

func (c *clock) Token(context.Context) (provider.Token, error) {
	if time.Until(c.token.Expires) > 400*time.Millisecond {
		return c.token, nil
	}
	c.made++
	ends := time.Now().Add(2 * time.Second)
	c.token = jwt(c.t, map[string]any{"alg": "RS256"}, map[string]any{"id": databaseID, "a": "rw", "exp": ends.Unix(), "jti": c.made})
	c.token.Expires = ends
	return c.token, nil
}

func (c *clock) Renew(ctx context.Context, _ provider.Token) (provider.Token, error) {
	if !c.renewed.IsZero() && time.Since(c.renewed) < 30*time.Second {
		return provider.Token{}, provider.ErrRejected
	}
	c.renewed, c.token.Expires = time.Now(), time.Time{}
	return c.Token(ctx)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func response(r *http.Request, status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

// A long poll outlives its token, and is repeated with a new one as often as necessary. Any
// other request, and one that is refused at once, gets one new token.
func TestPatientRequestsOutliveTokens(t *testing.T) {
	for _, test := range []struct {
		name    string
		patient bool
		life    time.Duration // after which the server refuses the token
		news    time.Duration
		tokens  int
		refused bool
	}{
		{"three lives", true, 2 * time.Second, 7 * time.Second, 4, false},
		{"clocks differ", true, 1700 * time.Millisecond, 7 * time.Second, 5, false},
		{"refused at once", true, 0, 7 * time.Second, 2, true},
		{"refused early", true, 400 * time.Millisecond, 7 * time.Second, 2, true},
		{"a request that isn't repeated", false, 2 * time.Second, 7 * time.Second, 2, true},
		{"no news ever", true, 2 * time.Second, 24 * time.Hour, 31, true},
		{"news in time", true, 2 * time.Second, time.Second, 1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &clock{t: t}
				news := time.Now().Add(test.news)
				base := roundTripper(func(r *http.Request) (*http.Response, error) {
					if until := time.Until(news); until <= test.life {
						time.Sleep(until)
						return response(r, http.StatusOK, "news"), nil
					}
					time.Sleep(test.life)
					return response(r, http.StatusUnauthorized, `{"error":"JWT error: ExpiredSignature"}`), nil
				})
				target := provider.Target{URL: "libsql://app.turso.io", DatabaseID: databaseID}
				tr := transport.New(base, source, target, &url.URL{Scheme: "https", Host: "app.turso.io"}, provider.AccessReadWrite)
				ctx := t.Context()
				if test.patient {
					ctx = transport.WithPatience(ctx, time.Minute)
				}
				req, err := http.NewRequestWithContext(ctx, "POST", "https://app.turso.io/pull-updates", strings.NewReader("poll"))
				if err != nil {
					t.Fatal(err)
				}
				_, err = tr.RoundTrip(req)
				if refused := new(transport.Refused); errors.As(err, &refused) != test.refused || err != nil && !test.refused {
					t.Errorf("RoundTrip: %v", err)
				}
				if source.made != test.tokens {
					t.Errorf("%d tokens, want %d", source.made, test.tokens)
				}
			})
		})
	}
}

// The answer to a patient request may begin later, by the time that it allows.
func TestPatience(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
			return
		}
		_, _ = io.WriteString(w, "news")
	}))
	defer server.Close()
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.ResponseHeaderTimeout = time.Millisecond
	patient := transport.Patient(base)
	defer patient.CloseIdleConnections()
	ask := func(more time.Duration) (string, error) {
		req, err := http.NewRequestWithContext(transport.WithPatience(t.Context(), more), "POST", server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := patient.RoundTrip(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		return string(b), err
	}
	for _, more := range []time.Duration{0, time.Millisecond} {
		if _, err := ask(more); !isTimeout(err) {
			t.Errorf("with %s more: %v", more, err)
		}
	}
	got := make(chan error, 1)
	go func() {
		text, err := ask(time.Hour)
		if err == nil && text != "news" {
			err = errors.New(text)
		}
		got <- err
	}()
	if _, err := ask(5 * time.Millisecond); !isTimeout(err) { // the other request is still waiting
		t.Error(err)
	}
	close(release)
	if err := <-got; err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(transport.WithPatience(t.Context(), time.Hour))
	cancel()
	req, err := http.NewRequestWithContext(ctx, "POST", server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := patient.RoundTrip(req); !errors.Is(err, context.Canceled) { //nolint:bodyclose // there is no response
		t.Error(err)
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
