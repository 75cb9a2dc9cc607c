package turso_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

func TestErrorAnswers(t *testing.T) {
	jwt := "eyJhbGciOiJFZERTQSJ9.eyJwbGFudGVkIjoxfQ.c2lnbmF0dXJl"
	jsonBody := http.Header{"Content-Type": {"application/json"}}
	tests := map[string]struct {
		status  int
		header  http.Header
		answer  string
		message string
		code    string
		retry   time.Duration
	}{
		"bad token":                     {401, jsonBody, `{"error":"invalid api token"}`, "invalid api token", "", 0},
		"an error with a code":          {403, jsonBody, `{"error":"upgrade","code":"feature_not_available_for_starter_plan"}`, "upgrade", "feature_not_available_for_starter_plan", 0},
		"error is an object":            {400, jsonBody, `{"error":{"message":"deep"}}`, "deep", "", 0},
		"a message instead of an error": {500, jsonBody, `{"message":"oops"}`, "oops", "", 0},
		"error is null":                 {404, jsonBody, `{"error":null}`, "not found", "", 0},
		"empty":                         {503, nil, "", "service unavailable", "", 0},
		"plain text":                    {502, nil, "upstream forward failed", "bad gateway", "", 0},
		"retry seconds":                 {429, http.Header{"Retry-After": {"7"}}, `{"error":"slow down"}`, "slow down", "", 7 * time.Second},
		"retry nonsense":                {429, http.Header{"Retry-After": {"-7"}}, `{"error":"slow down"}`, "slow down", "", 0},
		"an error that repeats secrets": {400, jsonBody, `{"error":"token ` + apiToken + ` and ` + jwt + ` are bad","code":"` + apiToken + `"}`, "token [redacted] and [redacted] are bad", "[redacted]", 0},
		"terminal controls":             {400, jsonBody, `{"error":"a\u001b[31m\n\nb\u202e\tc"}`, "a[31m b c", "", 0},
		"a long error":                  {400, jsonBody, `{"error":"` + strings.Repeat("é", 1000) + `"}`, strings.Repeat("é", 98) + "…", "", 0},
		"larger than 1 MiB":             {400, jsonBody, strings.Repeat(" ", 1<<20) + `{"error":"x"}`, "bad request", "", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := serve(t, exchange{request: "GET /v1/auth/validate", status: test.status, header: test.header, answer: test.answer})
			_, err := c.Validate(context.Background())
			var e *turso.Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v", err)
			}
			if e.Status != test.status || e.Message != test.message || e.Code != test.code || e.RetryAfter != test.retry {
				t.Errorf("wrong error %+v", *e)
			}
			want := fmt.Sprintf("turso: validate the API token: %s (status %d)", test.message, test.status)
			if err.Error() != want {
				t.Errorf("error %q, want %q", err, want)
			}
			if strings.Contains(fmt.Sprintf("%+v %v", *e, err), "planted") {
				t.Errorf("secret in %+v", *e)
			}
		})
	}
}

// TestWebPage checks that a proxy's or portal's page is reported as such, and not shown.
func TestWebPage(t *testing.T) {
	c := serve(t, exchange{request: "GET /v1/auth/validate", status: 502, header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, answer: "<html>planted</html>"})
	_, err := c.Validate(context.Background())
	var e *turso.Error
	if !errors.As(err, &e) || e.Status != 0 || !errors.Is(err, provider.ErrUnavailable) || strings.Contains(err.Error(), "planted") {
		t.Errorf("error %v", err)
	}
}

func TestRetryAfterDate(t *testing.T) {
	at := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	c := serve(t, exchange{request: "GET /v1/auth/validate", status: 503, header: http.Header{"Retry-After": {at}}})
	_, err := c.Validate(context.Background())
	var e *turso.Error
	if !errors.As(err, &e) || e.RetryAfter < 50*time.Minute || e.RetryAfter > time.Hour {
		t.Errorf("error %+v", err)
	}
}

func TestUselessAnswers(t *testing.T) {
	ctx := context.Background()
	token := func(c *turso.Client) error {
		_, err := c.CreateDatabaseToken(ctx, "", "app", turso.TokenOptions{Expiration: time.Hour, Authorization: turso.ReadOnly})
		return err
	}
	validate := func(c *turso.Client) error { _, err := c.Validate(ctx); return err }
	tests := map[string]struct {
		exchange exchange
		do       func(c *turso.Client) error
		text     string
	}{
		"no jwt":                      {exchange{request: "POST /v1/databases/app/auth/tokens?authorization=read-only&expiration=1h", body: "{}", answer: `{}`}, token, "the answer has no jwt"},
		"no exp":                      {exchange{request: "GET /v1/auth/validate", answer: `{}`}, validate, "the answer has no exp"},
		"not JSON":                    {exchange{request: "GET /v1/auth/validate", answer: `hello`}, validate, "the answer is not the JSON that was expected (status 200)"},
		"a second document":           {exchange{request: "GET /v1/auth/validate", answer: `{"exp":1}{}`}, validate, "the answer is not the JSON"},
		"web page":                    {exchange{request: "GET /v1/auth/validate", header: http.Header{"Content-Type": {"text/html"}}, answer: `<html>`}, validate, "in between answered"},
		"an answer that is too large": {exchange{request: "GET /v1/auth/validate", answer: strings.Repeat(" ", 1<<20) + `{"exp":1}`}, validate, "larger than 1 MiB"},
		"no user":                     {exchange{request: "GET /v1/current-user", answer: `{"user":{}}`}, func(c *turso.Client) error { _, err := c.CurrentUser(ctx); return err }, "no username"},
		"no template":                 {exchange{request: "GET /v2/organizations/a/jwks-template", body: `{"database":null,"group":null,"scope":"","permissions":[]}`, answer: `{"template":null}`}, func(c *turso.Client) error { _, err := c.Template(ctx, "a", turso.TemplateOptions{}); return err }, "no template"},
		"no hostname":                 {exchange{request: "GET /v1/databases/app", answer: `{"database":{"Name":"app","DbId":"1"}}`}, func(c *turso.Client) error { _, err := c.Database(ctx, "", "app"); return err }, "no DbId or Hostname"},
		"no personal organization":    {exchange{request: "GET /v2/organizations", answer: `{"organizations":[{"slug":"acme","type":"team"}]}`}, func(c *turso.Client) error { _, err := c.KeySets(ctx, ""); return err }, "no personal organization"},
		"wrong prefix":                {exchange{request: "GET /v1/auth/validate", status: 301, header: http.Header{"Location": {"/v2"}}}, validate, "redirects, which it never does"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := test.do(serve(t, test.exchange))
			var e *turso.Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v, want %q", err, test.text)
			}
		})
	}
}

func TestWrongTokenKind(t *testing.T) {
	c := serve(t, exchange{request: "GET /v1/auth/validate", status: 401, answer: `{"error":"could not parse jwt id"}`})
	_, err := c.Validate(context.Background())
	var e *turso.Error
	if !errors.As(err, &e) || !e.WrongTokenKind() {
		t.Error(err)
	}
}

// The API token is sent to the API's own host and nowhere else.
func TestRedirectsAreNotFollowed(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the redirect was followed: %s", r.URL)
	}))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		c := serve(t, exchange{request: "GET /v1/current-user", status: status, header: http.Header{"Location": {other.URL}}})
		if _, err := c.CurrentUser(context.Background()); err == nil {
			t.Errorf("status %d is accepted as an answer", status)
		}
	}
}

func TestNoAnswer(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}))
	defer server.Close()
	defer close(release)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := client(t, server.URL).Validate(ctx)
	var e *turso.Error
	if !errors.As(err, &e) || e.Status != 0 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}

	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	_, err = client(t, closed.URL).Validate(context.Background())
	if !errors.As(err, &e) || e.Status != 0 || e.Err == nil || !strings.Contains(err.Error(), "connect") {
		t.Errorf("error %v", err)
	}
}

func TestBadAPIToken(t *testing.T) {
	failed := errors.New("keyring locked")
	for name, test := range map[string]struct {
		token string
		err   error
		want  error
	}{
		"empty":                    {"", nil, turso.ErrBadToken},
		"newline":                  {"planted\n", nil, turso.ErrBadToken},
		"not ASCII":                {"plantéd", nil, turso.ErrBadToken},
		"too long":                 {strings.Repeat("a", 16<<10+1), nil, turso.ErrBadToken},
		"the token function fails": {"", failed, failed},
	} {
		c, err := turso.New(turso.Options{Token: func(context.Context) (string, error) { return test.token, test.err }})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Validate(context.Background())
		if !errors.Is(err, test.want) || strings.Contains(err.Error(), "plant") {
			t.Errorf("%s: Validate: %v", name, err)
		}
	}
}

// answer is a RoundTripper that gives every request the same answer.
type answer struct {
	status int
	body   string
}

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.status, Header: http.Header{}, Request: r,
		Body: io.NopCloser(strings.NewReader(a.body)),
	}, nil
}

func FuzzAnswer(f *testing.F) {
	f.Add(200, `{"databases":[{"Name":"a","DbId":"b"}],"pagination":{"next":"x"}}`)
	f.Add(200, `{"databases":[{"parent":{"parent":{}}}],"pagination":null}`)
	f.Add(401, `{"error":"eyJeyJ.planted-api-token`+"\x1b"+`"}`)
	f.Add(500, `{"error":[{"a":1e999}]}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		c, err := turso.New(turso.Options{
			Token:      func(context.Context) (string, error) { return apiToken, nil },
			HTTPClient: &http.Client{Transport: answer{status, body}},
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = names(c, "acme", turso.DatabaseFilter{})
		var e *turso.Error
		if err != nil && (!errors.As(err, &e) || len(err.Error()) > 1000 || strings.Contains(err.Error(), apiToken) || strings.ContainsAny(err.Error(), "\x1b\r\n")) {
			t.Fatalf("error %q", err)
		}
	})
}
