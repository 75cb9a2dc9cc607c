package turso

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/zen-auth/zen/devstack/fault"
)

// A token is checked in a hello, like a request's, and afterwards only if the fault is
// on.
func TestSocketTokens(t *testing.T) {
	f := newFixture(t, Options{})
	token, err := f.CreateDatabaseToken("acme", "app", TokenOptions{Lifetime: time.Minute})
	must(t, err)
	dial := func() *websocket.Conn {
		c, _, err := websocket.Dial(t.Context(), f.url+"/dbs/app", &websocket.DialOptions{Subprotocols: []string{"hrana2"}})
		must(t, err)
		t.Cleanup(func() { c.CloseNow() })
		return c
	}
	ask := func(c *websocket.Conn, message, want string) {
		t.Helper()
		if message != "" {
			must(t, c.Write(t.Context(), websocket.MessageText, []byte(message)))
		}
		_, b, err := c.Read(t.Context())
		got := string(b)
		if e := (websocket.CloseError{}); errors.As(err, &e) {
			got = e.Code.String() + " " + e.Reason
		} else if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Fatalf("%s: %s, want %s", message, got, want)
		}
	}
	c := dial()
	ask(c, `{"type":"hello","jwt":"x.y.z"}`, `{"type":"hello_error","error":{"message":"Authentication failed: `)
	ask(c, "", "StatusNormalClosure")
	c = dial()
	ask(c, `{"type":"hello","jwt":"`+token+`"}`, `{"type":"hello_ok"}`)
	ask(c, `{"type":"request","request_id":1,"request":{"type":"open_stream","stream_id":1}}`, `"response_ok"`)
	f.clock.Advance(time.Hour)
	ask(c, `{"type":"request","request_id":2,"request":{"type":"close_stream","stream_id":1}}`, `"response_ok"`)
	must(t, f.faults.Switch(fault.SocketExpires, true))
	ask(c, `{"type":"request","request_id":3,"request":{"type":"open_stream","stream_id":1}}`, "StatusPolicyViolation Authentication failed: JWT error: ExpiredSignature")
	ask(dial(), `{"type":"hello","jwt":"`+token+`"}`, `{"type":"hello_error","error":{"message":"Authentication failed: JWT error: ExpiredSignature","code":"AUTH_JWT_EXPIRED"}}`)
}
