package gateway_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/gateway"
	"github.com/zen-auth/zen/internal/testwait"
	"github.com/zen-auth/zen/internal/transport"
)

// pull returns a request of Turso Sync with a revision, a wait time and an unknown field.
func pull(wait time.Duration) []byte {
	b := protowire.AppendString(protowire.AppendTag(nil, 3, protowire.BytesType), "5")
	if wait > 0 {
		b = protowire.AppendVarint(protowire.AppendTag(b, 4, protowire.VarintType), uint64(wait.Milliseconds()))
	}
	return protowire.AppendString(protowire.AppendTag(b, 99, protowire.BytesType), "later")
}

// waitOf returns how long a request waits, and checks that the rest is as made by pull.
func waitOf(t *testing.T, b []byte) time.Duration {
	t.Helper()
	head, tail := pull(0)[:3], pull(0)[3:]
	middle, ok := bytes.CutPrefix(b, head)
	middle, end := bytes.CutSuffix(middle, tail)
	if !ok || !end || len(middle) < 2 || middle[0] != 4<<3 {
		t.Fatalf("the request is %x", b)
	}
	millis, n := protowire.ConsumeVarint(middle[1:])
	if n != len(middle)-1 {
		t.Fatalf("the wait field is %x", middle)
	}
	return time.Duration(millis) * time.Millisecond
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// shortLived issues tokens that live for two seconds.
type shortLived struct{ made int }

func (l *shortLived) Token(context.Context) (provider.Token, error) {
	const id = "33057661-834e-4891-9b48-802d425d02b9"
	claims := fmt.Sprintf(`{"id":%q,"a":"rw","exp":%d,"jti":"%d"}`, id, time.Now().Add(2*time.Second).Unix(), l.made)
	l.made++
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return provider.Token{Value: provider.NewSecret(encode(`{"alg":"RS256"}`) + "." + encode(claims) + "." + encode("signature"))}, nil
}

func (l *shortLived) Renew(ctx context.Context, _ provider.Token) (provider.Token, error) {
	return l.Token(ctx)
}

// handler returns a gateway whose database is the round tripper, and a function that sends it
// a request.
func handler(t *testing.T, config gateway.Config, base http.RoundTripper) (*gateway.Handler, func(body []byte) *httptest.ResponseRecorder) {
	t.Helper()
	config.Address, config.Bearer = &url.URL{Scheme: "https", Host: "app.turso.io"}, provider.NewSecret("bearer")
	config.Transport = transport.New(base, &shortLived{}, provider.Target{URL: "libsql://app.turso.io", DatabaseID: "33057661-834e-4891-9b48-802d425d02b9"}, config.Address, provider.AccessReadWrite)
	h, err := gateway.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return h, func(body []byte) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "http://127.0.0.1/pull-updates", bytes.NewReader(body))
		r.Header.Set("Authorization", "Bearer bearer")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
}

func answer(r *http.Request, status int, contentType, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {contentType}, "Content-Length": {fmt.Sprint(len(body))}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

// A poll outlives several tokens. Each time that it is sent again, it waits for the remaining
// time, in a message of the same length.
func TestPollOutlivesTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const asked = 10 * time.Second
		var waited []time.Duration
		began := time.Now()
		_, ask := handler(t, gateway.Config{}, roundTripper(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			wait := waitOf(t, body)
			waited = append(waited, wait)
			if int64(len(body)) != r.ContentLength || len(body) != len(pull(asked)) {
				t.Errorf("the request has %d bytes", len(body))
			}
			if wait > 2*time.Second {
				time.Sleep(2 * time.Second)
				return answer(r, http.StatusUnauthorized, "application/json", `{"error":"JWT error: ExpiredSignature"}`), nil
			}
			time.Sleep(wait)
			return answer(r, http.StatusOK, "application/protobuf", "nothing new"), nil
		}))
		w := ask(pull(asked))
		if w.Code != http.StatusOK || w.Body.String() != "nothing new" {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		want := []time.Duration{10 * time.Second, 8 * time.Second, 6 * time.Second, 4 * time.Second, 2 * time.Second}
		if !slices.Equal(waited, want) || time.Since(began) != asked {
			t.Errorf("waited %v, %s in total", waited, time.Since(began))
		}
	})
}

// Waiting doesn't hide that a token was refused at once.
func TestPollThatIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		_, ask := handler(t, gateway.Config{}, roundTripper(func(r *http.Request) (*http.Response, error) {
			asked++
			return answer(r, http.StatusUnauthorized, "application/json", `{"error":"JWT error: ExpiredSignature"}`), nil
		}))
		w := ask(pull(time.Minute))
		if w.Code != http.StatusUnauthorized || asked != 2 || !strings.Contains(w.Body.String(), "ZEN_SIGN_IN_NEEDED") {
			t.Errorf("after %d requests status %d: %s", asked, w.Code, w.Body)
		}
		if s := w.Body.String(); strings.Count(s, "\n") > 1 || strings.Contains(s, "eyJ") || strings.Contains(s, "bearer") {
			t.Errorf("the body is %q", s)
		}
	})
}

// Closing a gateway ends the waiting polls, and no other request.
func TestPollEndsWithTheGateway(t *testing.T) {
	began, release := make(chan bool), make(chan struct{})
	d := newDatabase(t, func(w http.ResponseWriter, r *http.Request) {
		poll := strings.HasSuffix(r.URL.Path, "/pull-updates")
		began <- poll
		select {
		case <-r.Context().Done():
		case <-release:
			io.WriteString(w, noBase)
		}
	})
	s := start(t, d, nil)
	type result struct {
		status int
		body   string
	}
	results := make(map[string]chan result)
	for path, body := range map[string]string{"/pull-updates": string(pull(time.Hour)), "/v2/pipeline": "{}"} {
		got := make(chan result, 1)
		results[path] = got
		go func() {
			status, body, _ := ask(t, s, "POST", path, body, nil)
			got <- result{status, body}
		}()
		<-began
	}
	closed := make(chan error, 1)
	go func() { closed <- s.Close(context.Background()) }()
	if got := <-results["/pull-updates"]; got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, "this gateway is closing") {
		t.Errorf("the poll ended with %+v", got)
	}
	close(release)
	if got := <-results["/v2/pipeline"]; got.status != http.StatusOK {
		t.Errorf("the statement ended with %+v", got)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// The database's request ends as soon as the client is gone.
func TestPollEndsWithItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		var seen gateway.Request
		h, _ := handler(t, gateway.Config{Observe: func(r gateway.Request) { seen = r }}, roundTripper(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}))
		r := httptest.NewRequestWithContext(ctx, "POST", "http://127.0.0.1/pull-updates", bytes.NewReader(pull(time.Hour)))
		r.Header.Set("Authorization", "Bearer bearer")
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.ServeHTTP(httptest.NewRecorder(), r)
		}()
		synctest.Wait()
		leave()
		<-done
		if seen.Status != 499 {
			t.Errorf("observed status %d, %v", seen.Status, seen.Err)
		}
	})
}

// The body of a response may be as late as the poll's result, but no later.
func TestPollWithAnEarlyHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, late := range []time.Duration{50 * time.Second, 75 * time.Second} {
			var seen gateway.Request
			_, ask := handler(t, gateway.Config{Timeout: 10 * time.Second, Observe: func(r gateway.Request) { seen = r }}, roundTripper(func(r *http.Request) (*http.Response, error) {
				resp := answer(r, http.StatusOK, "application/protobuf", "")
				resp.Body, resp.ContentLength = &slowBody{r.Context(), late}, -1
				return resp, nil
			}))
			ask(pull(time.Minute))
			if (seen.Err != nil) != (late > 70*time.Second) {
				t.Errorf("body after %s: %v", late, seen.Err)
			}
		}
	})
}

// slowBody is a body that ends after a delay.
type slowBody struct {
	ctx  context.Context
	late time.Duration
}

func (s *slowBody) Read([]byte) (int, error) {
	select {
	case <-s.ctx.Done():
		return 0, context.Cause(s.ctx)
	case <-time.After(s.late):
		return 0, io.EOF
	}
}
func (s *slowBody) Close() error { return nil }

// A response is passed on in chunks, and one that is cut off is cut off for the client, too.
func TestUpdatesAreChunked(t *testing.T) {
	page := strings.Repeat("p", 4102)
	for _, length := range []int{len(page), 3 * len(page)} {
		d := newDatabase(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(length))
			io.WriteString(w, page)
		})
		s := start(t, d, nil)
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.URL()+"/pull-updates", nil) // like the first pull
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+s.Bearer().Reveal())
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.ContentLength != -1 || len(resp.TransferEncoding) != 1 || string(b) != page {
			t.Errorf("content length %d, transfer encoding %v, %d bytes", resp.ContentLength, resp.TransferEncoding, len(b))
		}
		if cut := length > len(page); cut != errors.Is(err, io.ErrUnexpectedEOF) || !cut && err != nil {
			t.Errorf("a response of %d bytes: %v", length, err)
		}
	}
}

// A plain libsql-server lacks the path and responds with an empty body; one without the
// database responds with an error.
func TestUpdatesOfPlainSqld(t *testing.T) {
	for body, want := range map[string]string{
		"":                               "the database has no Turso Sync",
		`{"error":"no such database"}`:   `{"error":"no such database"}`,
		"Namespace `app` doesn't exist.": "Namespace `app` doesn't exist.",
	} {
		s := start(t, newDatabase(t, respond(http.StatusNotFound, "application/json", body)), nil)
		status, got, _ := ask(t, s, "POST", "/pull-updates", string(pull(0)), nil)
		if !strings.Contains(got, want) || (status == http.StatusNotFound) != (body != "") {
			t.Errorf("database body %q: status %d: %s", body, status, got)
		}
	}
}

// A request that isn't a message of Turso Sync is passed to the database unchanged.
func TestRequestThatIsNotAPoll(t *testing.T) {
	for _, body := range [][]byte{
		{}, {0x20}, {0x20, 0xff}, {0x22, 0x01, 'x'}, {0x20, 0x00}, {0x25, 1, 2, 3, 4}, bytes.Repeat([]byte{0xff}, 20),
		protowire.AppendVarint([]byte{0x20}, 1<<63), pull(0),
	} {
		d := newDatabase(t, respond(http.StatusOK, "application/protobuf", "fine"))
		s := start(t, d, nil)
		if status, got, _ := ask(t, s, "POST", "/pull-updates", string(body), nil); status != http.StatusOK || got != "fine" || d.body != string(body) {
			t.Errorf("%x: status %d: %s; the database received %x", body, status, got, d.body)
		}
	}
}

// Polls whose clients are gone leave no goroutine and no request at the database.
func TestPollsDoNotLeak(t *testing.T) {
	const polls = 50 // below the limit for connections without a bearer
	began, ended := make(chan struct{}, polls), make(chan struct{}, polls)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		began <- struct{}{}
		<-r.Context().Done()
		ended <- struct{}{}
	}))
	defer server.Close()
	s := start(t, &database{Server: server}, func(c *gateway.Config) {
		base := http.DefaultTransport.(*http.Transport).Clone()
		t.Cleanup(base.CloseIdleConnections)
		c.Transport = tokens{transport.Patient(base)}
	})
	before := runtime.NumGoroutine()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	done := make(chan error, polls)
	for range polls {
		req, err := http.NewRequestWithContext(ctx, "POST", s.URL()+"/pull-updates", bytes.NewReader(pull(time.Hour)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+s.Bearer().Reveal())
		go func() {
			resp, err := client.Do(req)
			if err == nil {
				resp.Body.Close()
			}
			done <- err
		}()
	}
	for range polls {
		<-began
	}
	leave()
	for range polls {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		<-ended
	}
	testwait.Until(t, "the goroutines have ended", func() bool { return runtime.NumGoroutine() <= before })
}
