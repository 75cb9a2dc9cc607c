package hrana

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/zen-auth/zen/devstack/engine"
)

// FuzzPipeline checks that every response has one of the documented statuses and, if its
// type is JSON, is JSON.
func FuzzPipeline(f *testing.F) {
	for _, seed := range []string{
		`{"baton":null,"requests":[{"type":"execute","stmt":{"sql":"SELECT ?","args":[{"type":"integer","value":"1"}]}},{"type":"close"}]}`,
		`{"requests":[{"type":"batch","batch":{"steps":[{"stmt":{"sql":"SELECT 1"}},{"stmt":{"sql":"SELECT 2"},"condition":{"type":"not","cond":{"type":"error","step":0}}}]}}]}`,
		`{"requests":[{"type":"sequence","sql":"CREATE TABLE t (a); INSERT INTO t VALUES ('x''y'); -- c"}]}`,
		`{"requests":[{"type":"store_sql","sql_id":1,"sql":"SELECT 'a'"},{"type":"describe","sql_id":1},{"type":"close_sql","sql_id":1},{"type":"get_autocommit"}]}`,
		`{"requests":[{"type":"execute","stmt":{"sql":"SELECT :a, x'00ff', 1e999, 'é'","named_args":[{"name":"a","value":{"type":"blob","base64":"AA"}}]}}]}`,
		`{"baton":"AAAA","requests":[{"type":"execute","stmt":{"sql":"PRAGMA table_info(t)"}}]}`,
		`{"requests":[{}]}`, `[]`, `null`,
	} {
		f.Add(seed)
	}
	db, err := engine.Open(engine.Options{TxTimeout: time.Nanosecond})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { db.Close() })
	s := New(testBackend{"one": db}, Options{MaxResponse: 1 << 16})
	f.Cleanup(s.Close)
	f.Fuzz(func(t *testing.T, body string) {
		// Slow statements are not interesting here.
		if up := strings.ToUpper(body); strings.Contains(up, "RECURSIVE") || strings.Contains(up, "ZEROBLOB") || strings.Contains(up, "RANDOMBLOB") {
			t.Skip()
		}
		for _, path := range []string{"/v3/pipeline", "/v3/cursor"} {
			w := httptest.NewRecorder()
			s.Serve(w, httptest.NewRequest("POST", "/", strings.NewReader(body)), "one", path)
			switch w.Code {
			case http.StatusOK, http.StatusBadRequest, http.StatusInternalServerError:
			default:
				t.Errorf("status %d", w.Code)
			}
			if w.Header().Get("Content-Type") == "application/json" && !json.Valid(w.Body.Bytes()) {
				t.Errorf("not JSON: %q", w.Body)
			}
		}
	})
}

func FuzzAppendString(f *testing.F) {
	for _, seed := range []string{"", "a\"b\\c", "\x00\x1f\n\r\t", "é😀", "\xff\xc3", "\u2028<>&"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		enc := appendString(nil, s)
		if err := json.Unmarshal(enc, &got); err != nil {
			t.Fatalf("%q: %v: %s", s, err, enc)
		}
		if want := strings.ToValidUTF8(s, "\uFFFD"); utf8.ValidString(s) && got != want {
			t.Errorf("%q came back as %q", s, got)
		}
	})
}
