package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

// FuzzBaseURL compares what comes out with what encoding/json reads: the base_url is
// replaced, everything else as it was, however the answer arrives.
func FuzzBaseURL(f *testing.F) {
	for _, seed := range []string{
		`{"baton":null,"base_url":null,"results":[]}`,
		`{"baton":"b","base_url":"http://x/y","results":[{"base_url":"z","a":"\"base_url\":"}]}`,
		"{\"base_url\":\"http://x\"}\n{\"type\":\"row\",\"row\":[{\"type\":\"text\",\"value\":\"{\\\"base_url\\\"\"}]}\n",
		`{"a":{"base_url":"q"},"base\u005furl" : "x" }`, `[]`, `{`, `{"base_url":"cut`, `"base_url":1`, `{"base_url":1}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		var seen []string
		open := func(r io.Reader) *rebased {
			return &rebased{from: io.NopCloser(r), follow: func(base string) (string, error) {
				seen = append(seen, base)
				return "http://gateway", nil
			}}
		}
		whole, err := io.ReadAll(open(bytes.NewBufferString(answer)))
		pieces, pieceErr := io.ReadAll(open(iotest.OneByteReader(bytes.NewBufferString(answer))))
		if (err == nil) != (pieceErr == nil) || err == nil && !bytes.Equal(whole, pieces) {
			t.Fatalf("whole %q, %v; in pieces %q, %v", whole, err, pieces, pieceErr)
		}
		var before, after map[string]any
		if json.Unmarshal([]byte(answer), &before) != nil || countKey(answer) != 1 {
			return
		}
		base, isText := before["base_url"].(string)
		if !isText && before["base_url"] != nil {
			if err == nil {
				t.Fatalf("%q passes", answer)
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
			t.Fatalf("%q became %q, and %q was seen", answer, whole, seen)
		}
	})
}

// countKey counts the keys of the outermost object that are base_url.
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
			if key && token == "base_url" {
				n++
			}
			key = !key
		}
	}
}
