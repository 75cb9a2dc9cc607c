package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/gateway"
	"github.com/zen-auth/zen/internal/testwait"
)

// socketDatabase accepts hellos and echoes requests, with one subprotocol.
type socketDatabase struct {
	*httptest.Server
	hellos  chan string          // the hellos' tokens
	headers chan http.Header     // the handshakes' headers
	conns   chan *websocket.Conn // after their hello
	closed  chan websocket.CloseError
	refusal map[string]string // by token
}

func newSocketDatabase(t *testing.T) *socketDatabase {
	d := &socketDatabase{
		hellos: make(chan string, 100), headers: make(chan http.Header, 100), conns: make(chan *websocket.Conn, 100),
		closed: make(chan websocket.CloseError, 100), refusal: map[string]string{},
	}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.headers <- r.Header
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"hrana3", "hrana2"}})
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(-1)
		for greeted := false; ; {
			_, message, err := c.Read(context.Background())
			if err != nil {
				var e websocket.CloseError
				errors.As(err, &e)
				d.closed <- e
				return
			}
			var m struct{ Type, JWT string }
			if json.Unmarshal(message, &m) != nil {
				t.Errorf("the database received %q", message)
			}
			answer := []byte(strings.Replace(string(message), `"request"`, `"response_ok"`, 1))
			if m.Type == "hello" {
				d.hellos <- m.JWT
				answer = []byte(`{"type":"hello_ok"}`)
				if text := d.refusal[m.JWT]; text != "" {
					_ = c.Write(context.Background(), websocket.MessageText, []byte(`{"type":"hello_error","error":{"message":"`+text+`","code":"AUTH_JWT_INVALID"}}`))
					_ = c.Close(websocket.StatusNormalClosure, "")
					return
				}
				if !greeted {
					d.conns <- c
				}
				greeted = true
			}
			_ = c.Write(context.Background(), websocket.MessageText, answer)
		}
	}))
	t.Cleanup(d.Close)
	return d
}

// greeter is a session's transport whose tokens follow one another.
type greeter struct {
	http.RoundTripper
	mu     sync.Mutex
	tokens []provider.Token
}

func (g *greeter) Greet(_ context.Context, greet func(provider.Token) (string, error)) (provider.Token, error) {
	for {
		g.mu.Lock()
		if len(g.tokens) == 0 {
			g.mu.Unlock()
			return provider.Token{}, &provider.Error{Kind: provider.ErrNoCredential, Message: "not signed in", Hint: "run `zen login`"}
		}
		token := g.tokens[0]
		g.tokens = g.tokens[1:]
		g.mu.Unlock()
		refusal, err := greet(token)
		if refusal == "" || err != nil {
			return token, err
		}
	}
}

func endsIn(d time.Duration, value string) provider.Token {
	return provider.Token{Value: provider.NewSecret(value), Expires: time.Now().Add(d)}
}

func startSocket(t *testing.T, d *socketDatabase, change func(*gateway.Config), tokens ...provider.Token) *gateway.Server {
	t.Helper()
	address, err := url.Parse(d.URL + "/dbs/app")
	if err != nil {
		t.Fatal(err)
	}
	config := gateway.Config{Address: address, Transport: &greeter{RoundTripper: http.DefaultTransport, tokens: tokens}}
	if change != nil {
		change(&config)
	}
	s, err := gateway.Listen(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

// dial opens a socket and sends a hello, with the gateway's bearer if jwt is empty.
func dial(t *testing.T, s *gateway.Server, jwt string) *websocket.Conn {
	t.Helper()
	header := http.Header{"Cookie": {"planted=1"}, "X-Libsql-Client-Version": {"v"}}
	c, _, err := websocket.Dial(t.Context(), s.URL(), &websocket.DialOptions{Subprotocols: []string{"hrana2"}, HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	c.SetReadLimit(-1)
	if jwt == "" {
		jwt = s.Bearer().Reveal()
	}
	write(t, c, `{"type":"hello","jwt":"`+jwt+`"}`)
	return c
}

func write(t *testing.T, c *websocket.Conn, message string) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
		t.Fatal(err)
	}
}

// next returns the next message, or how the socket was closed.
func next(t *testing.T, c *websocket.Conn) string {
	t.Helper()
	_, b, err := c.Read(t.Context())
	if e := (websocket.CloseError{}); errors.As(err, &e) {
		return fmt.Sprintf("closed %d %s", e.Code, e.Reason)
	}
	if err != nil {
		return "cut: " + err.Error()
	}
	return string(b)
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if !strings.HasPrefix(got, want) {
		t.Fatalf("%s: %s, want %s", what, got, want)
	}
}

const (
	helloOK = `{"type":"hello_ok"}`
	asks    = `{"type":"request","request_id":1,"request":{"type":"open_stream","stream_id":1}}`
	answers = `{"type":"response_ok","request_id":1,"request":{"type":"open_stream","stream_id":1}}`
)

func TestSocketPutsTheSessionsTokenIntoTheHello(t *testing.T) {
	d := newSocketDatabase(t)
	s := startSocket(t, d, nil, endsIn(time.Hour, "session-token"))
	c := dial(t, s, "")
	expect(t, "subprotocol", c.Subprotocol(), "hrana2")
	write(t, c, asks)
	expect(t, "hello", next(t, c), helloOK)
	expect(t, "request", next(t, c), answers)
	expect(t, "token", <-d.hellos, "session-token")
	header := <-d.headers
	if header.Get("Cookie") != "" || header.Get("X-Libsql-Client-Version") != "v" || strings.Contains(fmt.Sprint(header), s.Bearer().Reveal()) {
		t.Errorf("the database received the headers %v", header)
	}
	// The gateway answers further hellos of the client itself.
	write(t, c, `{"jwt":"`+s.Bearer().Reveal()+`","type":"hello"}`)
	expect(t, "second hello", next(t, c), helloOK)
	write(t, c, `{"type":"hello","jwt":"stolen"}`)
	expect(t, "bad hello", next(t, c), `{"error":{"message":"this gateway takes its own bearer`)
	expect(t, "its end", next(t, c), "closed 1000")
	if len(d.hellos) != 0 {
		t.Error("the database received the client's hello")
	}
}

// A message of any size is passed on unchanged.
func TestSocketPassesLargeMessages(t *testing.T) {
	s := startSocket(t, newSocketDatabase(t), nil, endsIn(time.Hour, "session-token"))
	c := dial(t, s, "")
	expect(t, "hello", next(t, c), helloOK)
	large := strings.Replace(asks, "open_stream", strings.Repeat("x", 5<<20/2), 1)
	write(t, c, large)
	if got := next(t, c); got != strings.Replace(large, `"request"`, `"response_ok"`, 1) {
		t.Errorf("%d bytes, want %d", len(got), len(large))
	}
}

func TestSocketRefusesStrangers(t *testing.T) {
	d := newSocketDatabase(t)
	s := startSocket(t, d, func(c *gateway.Config) { c.Origins = []string{"http://localhost:5173"} }, endsIn(time.Hour, "session-token"))
	c := dial(t, s, "planted")
	got := next(t, c)
	expect(t, "another bearer", got, `{"error":{"message":"this gateway takes its own bearer`)
	if strings.Contains(got, "planted") {
		t.Error("the response contains the token")
	}
	expect(t, "its end", next(t, c), "closed 1000")
	for name, test := range map[string]struct {
		header http.Header
		host   string
		path   string
		names  []string
		want   int
	}{
		"a rebound name":               {nil, "attacker.example", "", nil, 421},
		"a page":                       {http.Header{"Origin": {"http://attacker.example"}}, "", "", nil, 403},
		"a page of the gateway itself": {http.Header{"Origin": {s.URL()}}, "", "", nil, 403},
		"a page on the list":           {http.Header{"Origin": {"http://localhost:5173"}}, "", "", nil, 101},
		"another path":                 {nil, "", "/v2", nil, 404},
		"another subprotocol":          {nil, "", "", []string{"mqtt"}, 400},
		"an early subprotocol":         {nil, "", "", []string{"hrana1"}, 400},
	} {
		if test.names == nil {
			test.names = []string{"hrana2"}
		}
		c, resp, err := websocket.Dial(t.Context(), s.URL()+test.path, &websocket.DialOptions{Host: test.host, HTTPHeader: test.header, Subprotocols: test.names})
		if resp == nil || resp.StatusCode != test.want {
			t.Errorf("%s: dial: %v", name, err)
		}
		if c != nil {
			c.CloseNow()
		}
	}
	if len(d.headers) != 0 {
		t.Error("the gateway connected to the database before it got the bearer")
	}
}

// A message that one parser takes for a request and another for a hello is not passed on.
func TestSocketRefusesAmbiguousMessages(t *testing.T) {
	for _, message := range []string{
		`{"type":"request","type":"hello","jwt":"planted"}`, `{"type":"request","TYPE":"hello"}`, `{"type":"request","\u0074ype":"hello"}`,
		`["hello","planted"]`, `{"type":"request"}{"type":"hello"}`, `{"type":7}`, `{}`, `x`, ``,
	} {
		d := newSocketDatabase(t)
		c := dial(t, startSocket(t, d, nil, endsIn(time.Hour, "session-token")), "")
		expect(t, "hello", next(t, c), helloOK)
		write(t, c, message)
		expect(t, message, next(t, c), "closed 1007 the message is neither a hello nor a request")
	}
}

func TestSocketRenewsItsToken(t *testing.T) {
	d := newSocketDatabase(t)
	s := startSocket(t, d, nil, endsIn(200*time.Millisecond, "first"), endsIn(400*time.Millisecond, "second"), endsIn(time.Hour, "third"))
	c := dial(t, s, "")
	expect(t, "hello", next(t, c), helloOK)
	for _, want := range []string{"first", "second", "third"} {
		expect(t, "token", <-d.hellos, want)
		write(t, c, asks)
		expect(t, "request", next(t, c), answers) // without a second hello_ok
	}
	if len(d.headers) != 1 {
		t.Error("the gateway connected to the database again")
	}
}

// A pending request doesn't prevent the renewal of a socket's token.
func TestSocketRenewsItsTokenUnderLoad(t *testing.T) {
	d := newSocketDatabase(t)
	s := startSocket(t, d, nil, endsIn(200*time.Millisecond, "first"), endsIn(time.Hour, "second"))
	c := dial(t, s, "")
	expect(t, "hello", next(t, c), helloOK)
	done := make(chan struct{})
	go func() { // keeps one request pending at any time
		defer close(done)
		for i := 0; ; i++ {
			if i > 1 && next(t, c) != answers {
				return
			}
			if c.Write(context.Background(), websocket.MessageText, []byte(asks)) != nil {
				return
			}
		}
	}()
	expect(t, "token", <-d.hellos, "first")
	expect(t, "token", <-d.hellos, "second")
	c.CloseNow()
	<-done
}

// A late token delays requests, and doesn't close the socket.
func TestSocketWaitsForItsToken(t *testing.T) {
	d := newSocketDatabase(t)
	late := make(chan struct{})
	s := startSocket(t, d, func(c *gateway.Config) {
		c.Transport = &lateGreeter{Greeter: c.Transport.(gateway.Greeter), late: late}
	},
		endsIn(100*time.Millisecond, "first"), endsIn(time.Hour, "second"))
	c := dial(t, s, "")
	expect(t, "hello", next(t, c), helloOK)
	expect(t, "token", <-d.hellos, "first")
	time.AfterFunc(200*time.Millisecond, func() { close(late) }) // after the first token has expired
	<-late
	write(t, c, asks)
	expect(t, "request", next(t, c), answers)
	expect(t, "token", <-d.hellos, "second")
}

// lateGreeter delays the second greeting.
type lateGreeter struct {
	gateway.Greeter
	late  chan struct{}
	times int
}

func (g *lateGreeter) Greet(ctx context.Context, greet func(provider.Token) (string, error)) (provider.Token, error) {
	if g.times++; g.times > 1 {
		<-g.late
	}
	return g.Greeter.Greet(ctx, greet)
}

func TestSocketEndsWithItsToken(t *testing.T) {
	d := newSocketDatabase(t)
	s := startSocket(t, d, nil, endsIn(150*time.Millisecond, "first"))
	c := dial(t, s, "")
	expect(t, "hello", next(t, c), helloOK)
	expect(t, "its end", next(t, c), "closed 1008 the token of this socket has ended: not signed in (run `zen login`)")
	if e := <-d.closed; e.Code != websocket.StatusGoingAway {
		t.Errorf("the database's socket was closed with %v", e)
	}
	// Without a token from the start.
	c = dial(t, s, "")
	expect(t, "hello", next(t, c), `{"error":{"message":"not signed in (run `+"`zen login`"+`)","code":"ZEN_SIGN_IN_NEEDED"},"type":"hello_error"}`)
	expect(t, "its end", next(t, c), "closed 1000")
}

func TestSocketGreetsAgainWithAnotherToken(t *testing.T) {
	d := newSocketDatabase(t)
	d.refusal["first"] = "The JWT has expired"
	c := dial(t, startSocket(t, d, nil, endsIn(time.Hour, "first"), endsIn(time.Hour, "second")), "")
	expect(t, "hello", next(t, c), helloOK)
	write(t, c, asks)
	expect(t, "request", next(t, c), answers)
}

func TestSocketPassesCloseCodesOn(t *testing.T) {
	d := newSocketDatabase(t)
	s := startSocket(t, d, nil, endsIn(time.Hour, "1"), endsIn(time.Hour, "2"), endsIn(time.Hour, "3"), endsIn(time.Hour, "4"), endsIn(time.Hour, "5"))
	greeted := func() (client, server *websocket.Conn) {
		client = dial(t, s, "")
		expect(t, "hello", next(t, client), helloOK)
		return client, <-d.conns
	}
	c, server := greeted()
	go server.Close(4001, "enough")
	expect(t, "by the database", next(t, c), "closed 4001 enough")
	<-d.closed
	c, server = greeted()
	server.CloseNow()
	expect(t, "a cut", next(t, c), "closed 1014 the connection was cut")
	<-d.closed
	for _, code := range []websocket.StatusCode{4002, websocket.StatusNoStatusRcvd} {
		c, _ = greeted()
		_ = c.Close(code, "")
		if e := <-d.closed; e.Code != code {
			t.Errorf("the client's code %d became %v", code, e)
		}
	}
	c, _ = greeted()
	closed := make(chan error, 1)
	go func() { closed <- s.Close(context.Background()) }()
	expect(t, "the gateway's end", next(t, c), "closed 1001 the gateway ends")
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// A database that redirects, or has no WebSocket, gets no hello.
func TestSocketFollowsNoRedirect(t *testing.T) {
	d := newSocketDatabase(t)
	other := httptest.NewServer(http.RedirectHandler(d.URL, http.StatusTemporaryRedirect))
	t.Cleanup(other.Close)
	s := startSocket(t, &socketDatabase{Server: other}, nil, endsIn(time.Hour, "session-token"))
	expect(t, "hello", next(t, dial(t, s, "")), `{"error":{"message":"the database opens no WebSocket: it answers with HTTP status 307"`)
	if len(d.headers) != 0 {
		t.Error("the gateway followed the redirect")
	}
}

func TestSocketMetricsHaveNoSecret(t *testing.T) {
	var out bytes.Buffer
	var m gateway.Metrics
	d := newSocketDatabase(t)
	s := startSocket(t, d, func(c *gateway.Config) {
		c.Observe = func(r gateway.Request) {
			testwait.For(t.Context(), 50*time.Millisecond) // Close waits for a slow observer, too
			m.Observe(r)
		}
	}, endsIn(time.Hour, "planted-token"))
	c := dial(t, s, "")
	expect(t, "hello", next(t, c), helloOK)
	_ = c.Close(websocket.StatusNormalClosure, "")
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := m.Write(&out, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Contains(got, "planted") || !strings.Contains(got, `zen_proxy_requests_total{route="socket",status="101"} 1`) {
		t.Error(got)
	}
}
