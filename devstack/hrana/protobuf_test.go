package hrana

import (
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protowire"
)

func unhex(t testing.TB, s string) string {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The bytes are written by hand, with the field numbers of libsql-hrana/src/proto.rs.
func TestProtobufBytes(t *testing.T) {
	c := newClient(t, Options{})
	// requests { execute { stmt { sql: "SELECT ?" args { integer: -2 } } } } requests { close {} }
	resp, body := c.do("POST", "/one/v3-protobuf/pipeline", unhex(t, "12 12 12 10 0a 0e 0a 08 53454c454354203f 1a 02 10 03 12 02 0a 00"))
	want := unhex(t, "0a 03 0a 01 3f 12 04 0a 02 10 03") // cols { name: "?" } rows { values { integer: -2 } }
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/x-protobuf" || !strings.Contains(body, want) || !strings.HasSuffix(body, unhex(t, "1a 04 0a 02 0a 00")) {
		t.Errorf("answer %s %s %x, want %x in it", resp.Status, resp.Header, body, want)
	}
	for name, test := range map[string]struct{ body, want string }{
		"no request": {"12 00", "StreamRequest type not recognized"},
		"no value":   {"12 08 12 06 0a 04 0a 00 1a 00", "Value type not recognized"},
		"cut":        {"12 12", "Could not decode client message from Protobuf"},
		"no UTF-8":   {"12 07 12 05 0a 03 0a 01 ff", "invalid string value"},
		"wrong type": {"10 01", "invalid wire type"},
		"too deep":   {nested(200), "recursion limit reached"},
	} {
		if resp, body := c.do("POST", "/one/v3-protobuf/pipeline", unhex(t, test.body)); resp.StatusCode != 400 || !strings.Contains(body, test.want) {
			t.Errorf("%s: answer %s %s", name, resp.Status, body)
		}
	}
}

// nested returns a batch whose step has a condition with n nested nots.
func nested(n int) string {
	cond := []byte{}
	wrap := func(number protowire.Number, b []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), b)
	}
	for range n {
		cond = wrap(3, cond)
	}
	return hex.EncodeToString(wrap(2, wrap(3, wrap(1, wrap(1, wrap(1, cond))))))
}

// A response has the same content in both encodings.
func TestProtobufSaysWhatJSONSays(t *testing.T) {
	c := newClient(t, Options{})
	s := c.socket("hrana3-protobuf", "hrana3")
	if s.Subprotocol() != "hrana3-protobuf" {
		t.Fatalf("subprotocol %q", s.Subprotocol())
	}
	for i, step := range []struct{ message, want string }{
		{hello, helloOK},
		{request(1, open1), ok(1, `"type":"open_stream"}}`)},
		{request(-1, `"type":"execute","stream_id":1,"stmt":{"sql":"SELECT 0, 1.5, 'é', x'00ff', NULL, '', ?","args":[{"type":"blob","base64":"AAE"}]}`),
			ok(-1, `"type":"execute","result":{"cols":[{"name":"0"},{"name":"1.5"},{"name":"'é'"},{"name":"x'00ff'"},{"name":"NULL"},{"name":"''"},{"name":"?"}],"rows":[{"values":[{"type":"integer","value":"0"},{"type":"float","value":1.5},{"type":"text","value":"é"},{"type":"blob","base64":"AP8"},{"type":"null"},{"type":"text","value":""},{"type":"blob","base64":"AAE"}]}],"affected_row_count":0,`)},
		{request(2, `"type":"execute","stream_id":1,"stmt":{"sql":"SELECT 1 FROM nowhere"}`), `{"type":"response_error","request_id":2,"error":{"message":"SQLite error: no such table: nowhere","code":"SQLITE_UNKNOWN"}}`},
		{request(3, `"type":"get_autocommit","stream_id":1`), ok(3, `"type":"get_autocommit","is_autocommit":true}}`)},
		{request(4, `"type":"open_cursor","stream_id":1,"cursor_id":2,"batch":{"steps":[{"stmt":{"sql":"SELECT 7"},"condition":{"type":"not","cond":{"type":"and","conds":[{"type":"not","cond":{"type":"is_autocommit"}}]}}}]}`), ok(4, `"type":"open_cursor"}}`)},
		{request(5, `"type":"fetch_cursor","cursor_id":2,"max_count":2`), ok(5, `"type":"fetch_cursor","entries":[{"type":"step_begin","step":0,"cols":[{"name":"7"}]},{"type":"row","row":{"values":[{"type":"integer","value":"7"}]}}],"done":false}}`)},
	} {
		if err := s.Write(t.Context(), websocket.MessageBinary, clientForm.fromJSON(nil, []byte(step.message))); err != nil {
			t.Fatal(err)
		}
		kind, b, err := s.Read(t.Context())
		if err != nil || kind != websocket.MessageBinary {
			t.Fatal(i, kind, err)
		}
		if got, err := serverForm.toJSON(nil, b, 0); err != nil || !strings.HasPrefix(string(got), step.want) {
			t.Errorf("%d: toJSON = %s, %v\nwant %s", i, got, err, step.want)
		}
	}
	s.send("{}")
	if got := s.read(); !strings.HasPrefix(got, "closed 1003 Received a text WebSocket message") {
		t.Error(got)
	}
}

func TestProtobufCursor(t *testing.T) {
	c := newClient(t, Options{})
	body := cursorForm.fromJSON(nil, []byte(`{"batch":{"steps":[{"stmt":{"sql":"SELECT 1 UNION SELECT 2"}}]}}`))
	resp, err := c.start("/one/v3-protobuf/cursor", string(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/octet-stream" {
		t.Fatal(resp.Status, err)
	}
	var got []string
	for f := cursorAnswer; len(all) > 0; f = entryForm {
		item, n := protowire.ConsumeBytes(all)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		all = all[n:]
		if len(item) == 0 { // a nonexistent index
			continue
		}
		text, err := f.toJSON(nil, item, 0)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(text))
	}
	want := []string{`{"type":"step_begin","step":0,"cols":[{"name":"1"}]}`, `{"type":"row","row":{"values":[{"type":"integer","value":"1"}]}}`, `{"type":"row","row":{"values":[{"type":"integer","value":"2"}]}}`, `{"type":"step_end","affected_row_count":0}`}
	if len(got) < 5 || !strings.HasPrefix(got[0], `{"baton":"`) || strings.Join(got[1:5], "\n") != strings.Join(want, "\n") {
		t.Errorf("got %s", strings.Join(got, "\n"))
	}
}

func FuzzProtobuf(f *testing.F) {
	f.Add([]byte(unhex(f, "12 12 12 10 0a 0e 0a 08 53454c454354203f 1a 02 10 03")))
	f.Add(clientForm.fromJSON(nil, []byte(request(1, open1))))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, test := range []struct {
			form *form
			into message
		}{{pipelineForm, &pipelineRequest{}}, {cursorForm, &cursorRequest{}}, {clientForm, &clientMessage{}}} {
			if text, err := test.form.toJSON(nil, b, 0); err == nil && decode(b, test.into, test.form) == nil {
				// A decoded message is encoded to one that decodes to the same.
				if again, err := test.form.toJSON(nil, test.form.fromJSON(nil, text), 0); err != nil || string(again) != string(text) {
					t.Errorf("%s becomes %s, %v", text, again, err)
				}
			}
		}
	})
}
