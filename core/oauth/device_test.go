package oauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// script is a transport that returns its answers in turn, and repeats the last.
type script struct {
	answers []reply
	start   time.Time
	// at is when each request came, since the first.
	at []time.Duration
}

// reply is one answer; an empty body is a network failure. late is how long the server takes.
type reply struct {
	status int
	body   string
	header http.Header
	late   time.Duration
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.start.IsZero() {
		s.start = time.Now()
	}
	s.at = append(s.at, time.Since(s.start))
	next := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	select {
	case <-time.After(next.late):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if next.body == "" {
		return nil, errors.New("connection reset by peer")
	}
	header := http.Header{"Content-Type": {"application/json"}}
	for name, values := range next.header {
		header[name] = values
	}
	return &http.Response{StatusCode: next.status, Header: header, Body: io.NopCloser(strings.NewReader(next.body)), Request: r}, nil
}

const deviceAnswer = `{"device_code":"d3vice","user_code":"ABCD-EFGH","verification_uri":"https://login.example/activate",
	"verification_uri_complete":"https://login.example/activate?user_code=ABCD-EFGH","expires_in":900,"interval":5}`

var (
	pending = reply{status: 403, body: `{"error":"authorization_pending"}`}
	tokens  = reply{status: 200, body: `{"access_token":"4ccess","token_type":"Bearer","refresh_token":"r3fresh","expires_in":60}`}
)

func deviceClient(answers ...reply) (*oauth.Client, *script) {
	s := &script{answers: answers}
	return &oauth.Client{
		Name: "test", ID: testID, HTTP: &http.Client{Transport: s},
		Metadata: oauth.Metadata{Issuer: "https://login.example", TokenEndpoint: "https://login.example/token", DeviceEndpoint: "https://login.example/device"},
	}, s
}

// The error code decides, not the status: Auth0 sends slow_down with 429 and
// authorization_pending with 403, others send both with 400. An interval starts when the last
// answer arrived.
func TestDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, s := deviceClient(
			reply{status: 200, body: deviceAnswer},
			pending, // at 5
			reply{status: 400, body: `{"error":"authorization_pending"}`, late: 2 * time.Second},           // at 10, until 12
			reply{status: 429, body: `{"error":"slow_down"}`, header: http.Header{"Retry-After": {"600"}}}, // at 17
			reply{status: 400, body: `{"error":"slow_down"}`},                                              // at 27
			pending, // at 42
			reply{}, // at 57: the network
			reply{status: 503, body: "<html>busy</html>"},                                                                  // at 87
			reply{status: 429, body: `{"error":"too_many_requests"}`, header: http.Header{"Retry-After": {"10"}}, late: 0}, // at 147
			pending, // at 207
			tokens,  // at 222
		)
		p := &person{}
		got, err := client.Device(t.Context(), p, oauth.DeviceOptions{Scopes: []string{"openid"}, OpenPage: true})
		if err != nil || got.Access.Reveal() != "4ccess" || got.Refresh.Reveal() != "r3fresh" {
			t.Fatalf("Device = %+v, %v", got, err)
		}
		var seconds []int
		for _, at := range s.at {
			seconds = append(seconds, int(at/time.Second))
		}
		if want := []int{0, 5, 10, 17, 27, 42, 57, 87, 147, 207, 222}; !slices.Equal(seconds, want) {
			t.Errorf("polled at %v, want %v", seconds, want)
		}
		const told = "type ABCD-EFGH at https://login.example/activate\nopen https://login.example/activate?user_code=ABCD-EFGH ABCD-EFGH"
		if p.heard() != told {
			t.Errorf("the person saw %q", p.heard())
		}
	})
}

func TestDeviceEnds(t *testing.T) {
	for name, test := range map[string]struct {
		answers []reply
		want    error
		text    string
		after   time.Duration
	}{
		"expired":         {[]reply{pending, {status: 403, body: `{"error":"expired_token"}`}}, provider.ErrNoCredential, "before it expired", 10 * time.Second},
		"expired here":    {[]reply{pending}, provider.ErrNoCredential, "before it expired", 15 * time.Minute},
		"never answered":  {[]reply{{}}, provider.ErrUnavailable, "connection reset", 15 * time.Minute},
		"slowed down":     {slices.Repeat([]reply{{status: 429, body: `{"error":"slow_down"}`}}, 20), provider.ErrUnavailable, "slow down (slow_down)", 15 * time.Minute},
		"denied":          {[]reply{{status: 403, body: `{"error":"access_denied","error_description":"User cancelled."}`}}, provider.ErrRejected, "User cancelled (access_denied)", 5 * time.Second},
		"used twice":      {[]reply{{status: 403, body: `{"error":"invalid_grant"}`}}, provider.ErrRejected, "invalid_grant", 5 * time.Second},
		"grant refused":   {[]reply{{status: 403, body: `{"error":"unauthorized_client"}`}}, provider.ErrConfig, "unauthorized_client", 5 * time.Second},
		"a proxy's page":  {[]reply{{status: 403, body: `<html>`}, tokens}, nil, "", 15 * time.Second},
		"a silent server": {[]reply{{status: 200, body: `{}`, late: time.Hour}, tokens}, nil, "", 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, s := deviceClient(append([]reply{{status: 200, body: deviceAnswer}}, test.answers...)...)
				_, err := client.Device(t.Context(), &person{}, oauth.DeviceOptions{})
				if !errors.Is(err, test.want) || err != nil && !strings.Contains(err.Error(), test.text) {
					t.Errorf("got %v, want %v with %q", err, test.want, test.text)
				}
				if took := time.Since(s.start); took != test.after {
					t.Errorf("took %s, want %s", took, test.after)
				}
			})
		})
	}
}

// A sign-in ends shortly before the host's deadline, in time to report the reason.
func TestDeviceDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, s := deviceClient(reply{status: 200, body: deviceAnswer}, pending)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		_, err := client.Device(ctx, &person{}, oauth.DeviceOptions{})
		if !errors.Is(err, provider.ErrNoCredential) || !strings.Contains(err.Error(), "in time") || ctx.Err() != nil {
			t.Errorf("Device = %v, want ErrNoCredential before the deadline", err)
		}
		if took := time.Since(s.start); took >= 5*time.Minute {
			t.Errorf("took %s", took)
		}
	})
}

// The issuer's code and page are limited in length and checked before they are shown.
func TestDeviceAnswer(t *testing.T) {
	for body, text := range map[string]string{
		`{}`:                                  "no code",
		`{"device_code":"d","user_code":"u"}`: "no page",
		`{"device_code":"d","user_code":"\u001b[2Ju","verification_uri":"https://x.example"}`:                                          "can't be shown",
		`{"device_code":"d","user_code":"u","verification_uri":"http://x.example"}`:                                                    "https",
		`{"device_code":"d","user_code":"u","verification_uri":"https://x.example","verification_uri_complete":"javascript:alert(1)"}`: "https",
		`{"device_code":"d","user_code":"u","verification_uri":"https://x.example","expires_in":"soon"}`:                               "not the issuer's",
		`<html>`:                          "not the issuer's",
		strings.Repeat(" ", 1<<20) + `{}`: "larger than 1 MiB",
	} {
		client, _ := deviceClient(reply{status: 200, body: body})
		_, err := client.Device(t.Context(), &person{}, oauth.DeviceOptions{})
		if !errors.Is(err, provider.ErrUnavailable) || !strings.Contains(err.Error(), text) {
			t.Errorf("%.80s: %v, want %q", body, err, text)
		}
	}
}

// Absurd intervals are neither waited for nor polled at.
func TestDeviceInterval(t *testing.T) {
	for interval, want := range map[string]time.Duration{"0": 5 * time.Second, "-1": 5 * time.Second, "1e300": time.Minute, "2": 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			body := strings.Replace(deviceAnswer, `"interval":5`, `"interval":`+interval, 1)
			client, s := deviceClient(reply{status: 200, body: body}, tokens)
			if _, err := client.Device(t.Context(), &person{}, oauth.DeviceOptions{}); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(s.start); took != want {
				t.Errorf("interval %s: polled after %s, want %s", interval, took, want)
			}
		})
	}
}
