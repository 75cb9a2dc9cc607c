package gateway

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"google.golang.org/protobuf/encoding/protowire"
)

// FuzzBaseURL compares the output with what encoding/json reads: only the base_url is
// replaced, however the response is split into reads.
func FuzzBaseURL(f *testing.F) {
	for _, seed := range []string{
		`{"baton":null,"base_url":null,"results":[]}`,
		`{"baton":"b","base_url":"http://x/y","results":[{"base_url":"z","a":"\"base_url\":"}]}`,
		"{\"base_url\":\"http://x\"}\n{\"type\":\"row\",\"row\":[{\"type\":\"text\",\"value\":\"{\\\"base_url\\\"\"}]}\n",
		`{"a":{"base_url":"q"},"base\u005furl" : "x" }`, `[]`, `{`, `{"base_url":"cut`, `"base_url":1`, `{"base_url":1}`,
		`{"base_url":"a","a":[["\\"}]\\\\"],{}],"BASE_URL":"b","Ba\u017fe_url":""}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		var seen []string
		open := func(r io.Reader) *rebased {
			return &rebased{from: io.NopCloser(r), scan: scan{name: "base_url"}, follow: func(base string) (string, error) {
				seen = append(seen, base)
				return "http://gateway", nil
			}}
		}
		whole, err := io.ReadAll(open(bytes.NewBufferString(answer)))
		pieces, pieceErr := io.ReadAll(open(iotest.OneByteReader(bytes.NewBufferString(answer))))
		if (err == nil) != (pieceErr == nil) || err == nil && !bytes.Equal(whole, pieces) {
			t.Fatalf("read at once %q, %v; byte by byte %q, %v", whole, err, pieces, pieceErr)
		}
		var before, after map[string]any
		if json.Unmarshal([]byte(answer), &before) != nil {
			return
		}
		if n := countKey(answer); n != 1 || before["base_url"] == nil {
			// If there are several, each is checked: encoding/json takes the last one, whatever
			// its letter case.
			var last struct {
				Base string `json:"base_url"`
			}
			if n > 0 && err == nil && json.Unmarshal(whole, &last) == nil && last.Base != "" && last.Base != "http://gateway" {
				t.Fatalf("%q became %q", answer, whole)
			}
			return
		}
		base, isText := before["base_url"].(string)
		if !isText && before["base_url"] != nil {
			if err == nil {
				t.Fatalf("%q passed without an error", answer)
			}
			return
		}
		if err != nil && len(answer) < maxBaseURL {
			t.Fatalf("%q: %v", answer, err)
		}
		if err != nil {
			return
		}
		if err := json.Unmarshal(whole, &after); err != nil {
			t.Fatalf("%q became %q: %v", answer, whole, err)
		}
		if base != "" && after["base_url"] != "http://gateway" || base != "" && (len(seen) != 2 || seen[0] != base) {
			t.Fatalf("%q became %q; follow got %q", answer, whole, seen)
		}
	})
}

func isName(token json.Token) bool {
	name, ok := token.(string)
	return ok && strings.EqualFold(name, "base_url")
}

// countKey counts the keys of the outermost object that are base_url, ignoring case.
func countKey(text string) int {
	decoder := json.NewDecoder(bytes.NewBufferString(text))
	n, depth, key := 0, 0, false
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			return -1
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			key = depth == 1
			continue
		case json.Delim('}'), json.Delim(']'):
			depth--
			key = depth == 1
			continue
		}
		if depth == 1 {
			if key && isName(token) {
				n++
			}
			key = !key
		}
	}
}

// BenchmarkAnswer scans a large response with rows.
func BenchmarkAnswer(b *testing.B) {
	answer := `{"baton":null,"base_url":null,"results":[{"type":"ok","response":{"type":"execute","result":{"rows":[` +
		strings.Repeat(`[{"type":"integer","value":"1"},{"type":"text","value":"a note of some length, as people write them"}],`, 50_000) + `[]]}}}]}`
	b.SetBytes(int64(len(answer)))
	for b.Loop() {
		r := &rebased{from: io.NopCloser(strings.NewReader(answer)), scan: scan{name: "base_url"}}
		if n, err := io.Copy(io.Discard, struct{ io.Reader }{r}); err != nil || n != int64(len(answer)) {
			b.Fatal(n, err)
		}
	}
}

// No reader takes a message that passes as a request for a hello, and the token of a hello is
// found.
func FuzzSocketMessage(f *testing.F) {
	for _, seed := range []string{
		`{"type":"hello","jwt":"x"}`, `{"type":"request","request_id":1,"request":{"type":"hello"}}`, `{"type":"request","Type":"hello"}`,
		"\x0a\x03\x0a\x01x", "\x12\x02\x08\x01", "\x12\x00\x0a\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		if hello, _, err := jsonMessages.fromClient(message); err == nil {
			var lax struct{ Type string } // the last member, ignoring case
			if err := json.Unmarshal(message, &lax); err != nil || (lax.Type == "hello") != hello || !hello && lax.Type != "request" {
				t.Errorf("hello is %v, but encoding/json read %v, %v", hello, lax, err)
			}
		}
		if hello, jwt, err := protobufMessages.fromClient(message); err == nil && hello && jwt != "" {
			if again, same, err := protobufMessages.fromClient(protobufMessages.hello(jwt)); err != nil || !again || same != jwt {
				t.Errorf("the hello was read back with token %q, want %q", same, jwt)
			}
		}
		_, _, _ = jsonMessages.fromServer(message)
		_, _, _ = protobufMessages.fromServer(message)
	})
}

// Whatever the response, the output has no base_url of another host.
func FuzzProtobuf(f *testing.F) {
	for _, seed := range []string{"\x0a\x01b\x12\x01u\x1a\x00", "\x12\x00\x12\x02xy", "\x08\x96\x01\x12\x01u", "\x04\x12\x02xy\x01\x00"} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, answer []byte, cursor bool) {
		const ours = "ours"
		out, err := io.ReadAll(&rebasedProtobuf{from: bufio.NewReader(bytes.NewReader(answer)), cursor: cursor, follow: func(string) (string, error) { return ours, nil }})
		if err != nil {
			return
		}
		if cursor {
			if out, _ = protowire.ConsumeBytes(out); out == nil {
				return
			}
		}
		for len(out) > 0 {
			number, kind, n := protowire.ConsumeTag(out)
			if n < 0 {
				t.Fatalf("%x isn't valid Protobuf", out)
			}
			m := protowire.ConsumeFieldValue(number, kind, out[n:])
			if m < 0 {
				t.Fatalf("%x isn't valid Protobuf", out)
			}
			if base, _ := protowire.ConsumeBytes(out[n:]); number == baseURLField && len(base) > 0 && string(base) != ours {
				t.Fatalf("the output has base_url %q", base)
			}
			out = out[n+m:]
		}
	})
}
