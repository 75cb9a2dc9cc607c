package page

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack/traffic"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// newPage serves a page with one switch, and a function that returns its state.
func newPage(t *testing.T, content Content) (server *httptest.Server, on func() bool) {
	state := false
	content.Now = now
	server = httptest.NewServer(Handler(Options{
		Content: func() Content {
			content.Faults = []FaultGroup{{"Turso", []Fault{{"jwks-stuck", "stuck", state}}}}
			return content
		},
		Switch: func(name string, on bool) error {
			if name != "jwks-stuck" {
				return errors.New("unknown fault")
			}
			state = on
			return nil
		},
	}))
	t.Cleanup(server.Close)
	return server, func() bool { return state }
}

func get(t *testing.T, address string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestSwitch(t *testing.T) {
	server, on := newPage(t, Content{})
	_, body := get(t, server.URL)
	token := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(body)[1]
	tests := []struct {
		name   string
		form   url.Values
		header http.Header
		host   string
		status int
	}{
		{"no token", url.Values{"name": {"jwks-stuck"}, "on": {"true"}}, nil, "", 403},
		{"wrong token", url.Values{"name": {"jwks-stuck"}, "on": {"true"}, "token": {"x"}}, nil, "", 403},
		{"other site", url.Values{"name": {"jwks-stuck"}, "on": {"true"}, "token": {token}}, http.Header{"Sec-Fetch-Site": {"cross-site"}}, "", 403},
		{"other origin", url.Values{"name": {"jwks-stuck"}, "on": {"true"}, "token": {token}}, http.Header{"Origin": {"https://evil.test"}}, "", 403},
		{"rebound name", url.Values{"name": {"jwks-stuck"}, "on": {"true"}, "token": {token}}, http.Header{"Sec-Fetch-Site": {"same-origin"}}, "evil.test:4000", 421},
		{"other fault", url.Values{"name": {"nope"}, "on": {"true"}, "token": {token}}, nil, "", 404},
		{"neither on nor off", url.Values{"name": {"jwks-stuck"}, "on": {"maybe"}, "token": {token}}, nil, "", 400},
		{"a form that is too large", url.Values{"name": {strings.Repeat("x", 5000)}, "on": {"true"}, "token": {token}}, nil, "", 403},
		{"a valid form", url.Values{"name": {"jwks-stuck"}, "on": {"true"}, "token": {token}}, http.Header{"Sec-Fetch-Site": {"same-origin"}}, "localhost", 303},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			request, err := http.NewRequest("POST", server.URL+Prefix+"switch", strings.NewReader(tt.form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for name, values := range tt.header {
				request.Header[name] = values
			}
			request.Host = tt.host
			resp, err := http.DefaultTransport.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != tt.status || on() != (tt.status == 303) {
				t.Errorf("status %d and the fault is %v, want %d", resp.StatusCode, on(), tt.status)
			}
		})
	}
}

func TestHosts(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1:4000": true, "127.9.9.9": true, "localhost": true, "LOCALHOST:1": true, "[::1]:80": true, "[::1]": true,
		"[::ffff:127.0.0.1]:80": true,
		"":                      false, "evil.test": false, "localhost.evil.test:80": false, "127.0.0.1.evil.test": false,
		"10.0.0.1:80": false, "0.0.0.0:80": false, "[::]:80": false, "2130706433": false,
	} {
		if got := isLoopback(host); got != want {
			t.Errorf("%q: isLoopback = %v, want %v", host, got, want)
		}
	}
}

// Values from foreign requests are text on the page, and only the page's own script runs.
func TestForeignText(t *testing.T) {
	const evil = `"><script>alert(1)</script>`
	server, _ := newPage(t, Content{
		Requests: []traffic.Request{{Method: evil, Path: evil, Query: evil, Reason: evil, Who: traffic.Caller{Kind: "JWT", Subject: evil, Issuer: evil}}},
		Tokens:   []traffic.Token{{Path: evil, JWT: traffic.JWT{Claims: []traffic.Field{{Name: evil, Value: evil}}}}},
		Users:    []User{{Name: evil, Email: evil}},
	})
	resp, body := get(t, server.URL)
	if strings.Contains(body, "<script>") || strings.Count(body, "<script") != 1 {
		t.Error("foreign text became HTML")
	}
	policy := resp.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy %q lacks %s", policy, want)
		}
	}
	if strings.Contains(body, "style=") || strings.Contains(body, "onclick") {
		t.Error("the page contains something that its own policy forbids")
	}
}

func TestFiles(t *testing.T) {
	server, _ := newPage(t, Content{})
	for name, kind := range map[string]string{"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"} {
		resp, body := get(t, server.URL+Prefix+name)
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != kind || body == "" {
			t.Errorf("%s: get = %s, %s", name, resp.Status, resp.Header.Get("Content-Type"))
		}
		if strings.Contains(body, "http://") && !strings.HasSuffix(name, ".svg") || strings.Contains(body, "https://") {
			t.Errorf("%s refers to another place", name)
		}
	}
	if resp, _ := get(t, server.URL+Prefix+"page.html"); resp.StatusCode != 404 {
		t.Errorf("the template is served: %s", resp.Status)
	}
}

func TestFormats(t *testing.T) {
	tests := []struct{ got, want string }{
		{took(87 * time.Microsecond), "87 µs"}, {took(2345 * time.Microsecond), "2.3 ms"}, {took(45 * time.Millisecond), "45 ms"}, {took(1500 * time.Millisecond), "1.5 s"},
		{ends(time.Time{}, now), "never expires"}, {ends(now.Add(time.Minute), now), "expires in 60 s"},
		{ends(now.Add(-3*time.Hour), now), "expired 3 h ago"}, {ends(now.Add(72*time.Hour), now), "expires in 3 days"},
		{ends(now, now), "expired 0 s ago"}, {ends(now.Add(30*time.Minute), now), "expires in 30 min"},
		{size(12), "12 B"}, {size(1536), "1.5 KiB"}, {size(3 << 20), "3.0 MiB"}, {size(5 << 30), "5.0 GiB"},
		{thin(7), "7"}, {thin(1234), "1\u202f234"}, {thin(1234567), "1\u202f234\u202f567"},
		{who(traffic.Caller{}, nil), "—"}, {who(traffic.Caller{Kind: "basic"}, nil), "basic"},
		{who(traffic.Caller{Kind: "JWT", Subject: "user_1"}, []User{{ID: "user_1", Email: "a@b.test"}}), "a@b.test"},
		{who(traffic.Caller{Kind: "JWT", Subject: "user_2"}, []User{{Email: "a@b.test"}}), "user_2"},
		{about(traffic.Token{Path: "/p"}, Content{Databases: []Database{{ID: "d"}}}), "/p"},
		{about(traffic.Token{JWT: traffic.JWT{Claims: []traffic.Field{{Name: "id", Value: "d"}, {Name: "a", Value: "ro"}}}},
			Content{Databases: []Database{{ID: "d", Name: "app"}}}), "database app, ro"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}
