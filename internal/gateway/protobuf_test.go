package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

func bytesField(number protowire.Number, value string) string {
	return string(protowire.AppendString(protowire.AppendTag(nil, number, protowire.BytesType), value))
}

func lengthened(message string) string { return string(protowire.AppendString(nil, message)) }

// Protobuf is passed on unchanged except for a base_url.
func TestProtobufBaseURL(t *testing.T) {
	var answer string
	chunked := false
	d := newDatabase(t, func(w http.ResponseWriter, r *http.Request) {
		if chunked {
			w.WriteHeader(200)
			w.(http.Flusher).Flush()
			for i := range answer { // in the smallest pieces
				_, _ = w.Write([]byte(answer[i : i+1]))
			}
			return
		}
		respond(200, "application/x-protobuf", answer)(w, r)
	})
	s := start(t, d, nil)
	baton, results := bytesField(1, "baton"), bytesField(3, strings.Repeat("row", 20000))
	own := d.URL + "/dbs/app/moved"
	for name, test := range map[string]struct{ answer, want string }{
		"no base_url":                {baton + results, baton + results},
		"empty response":             {"", ""},
		"empty base_url":             {bytesField(2, "") + results, bytesField(2, "") + results},
		"own base_url":               {baton + bytesField(2, own) + results, baton + bytesField(2, s.URL()+"/moved") + results},
		"base_url after the results": {results + bytesField(2, own), results + bytesField(2, s.URL()+"/moved")},
		"two base_urls":              {bytesField(2, own) + bytesField(2, own), bytesField(2, s.URL()+"/moved") + bytesField(2, s.URL()+"/moved")},
		"base_url at another host":   {baton + bytesField(2, "http://attacker.example/dbs/app"), "502"},
		"base_url too long":          {bytesField(2, strings.Repeat("x", 9<<10)), "502"},
		"invalid Protobuf":           {"\x0b\x0b", "502"},
		"base_url is not text":       {"\x10\x01", "502"},
		"cut":                        {baton[:4], "502"},
		"cut before a length":        {baton + "\x12", "502"},
		"late, another host":         {results + bytesField(2, "http://attacker.example"), "cut"},
	} {
		for _, chunked = range []bool{false, true} {
			answer = test.answer
			status, body, _ := ask(t, s, "POST", "/v3-protobuf/pipeline", "\x0a\x00", nil)
			if strings.Contains(body, "attacker.example") && status == 200 {
				t.Errorf("%s: the other host's base_url was passed on", name)
			}
			switch test.want {
			case "502":
				if status != 502 && !strings.HasPrefix(body, "cut") {
					t.Errorf("%s, chunked %v: status %d", name, chunked, status)
				}
			case "cut":
				if status == 200 && !strings.HasPrefix(body, "cut") {
					t.Errorf("%s, chunked %v: status %d", name, chunked, status)
				}
			default:
				if status != 200 || body != test.want {
					t.Errorf("%s, chunked %v: status %d, %d bytes, want %d", name, chunked, status, len(body), len(test.want))
				}
			}
		}
	}
	chunked = false
	answer = lengthened(baton+bytesField(2, own)) + lengthened("entry") + lengthened(bytesField(2, "http://attacker.example"))
	status, body, _ := ask(t, s, "POST", "/v3-protobuf/cursor", "", nil)
	if want := lengthened(baton+bytesField(2, s.URL()+"/moved")) + lengthened("entry") + lengthened(bytesField(2, "http://attacker.example")); status != 200 || body != want {
		t.Errorf("cursor: status %d: %q, want %q", status, body, want)
	}
	answer = lengthened(bytesField(2, "http://attacker.example"))
	if status, _, _ := ask(t, s, "POST", "/v3-protobuf/cursor", "", nil); status != 502 {
		t.Errorf("a cursor with another host's base_url: status %d", status)
	}
	answer = ""
	d.last = nil
	for _, shown := range []bool{true, false} {
		status, _, _ := ask(t, s, "GET", "/v3-protobuf", "", func(r *http.Request) {
			if !shown {
				r.Header.Del("Authorization")
			}
		})
		if status != 200 || shown != (d.last != nil) {
			t.Errorf("probe, with bearer %v: status %d", shown, status)
		}
		d.last = nil
	}
}
