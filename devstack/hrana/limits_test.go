package hrana

import (
	"strings"
	"testing"
)

func TestDump(t *testing.T) {
	c := newClient(t, Options{})
	c.pipeline("/one/v3/pipeline", "", exec("CREATE TABLE t (a)"), exec("INSERT INTO t VALUES ('2024-01-02')"), closeStream)
	c.rights = "read"
	const want = "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE IF NOT EXISTS t (a);\nINSERT INTO \"t\"(\"a\") VALUES('2024-01-02');\nCOMMIT;\n"
	if resp, body := c.do("GET", "/one/dump", ""); resp.StatusCode != 200 || body != want {
		t.Errorf("answer %d %s", resp.StatusCode, body)
	}
	c.rights = "one table"
	if resp, body := c.do("GET", "/one/dump", ""); resp.StatusCode != 401 {
		t.Errorf("answer %d %s", resp.StatusCode, body)
	}
}

func TestStreamLimit(t *testing.T) {
	c := newClient(t, Options{MaxStreams: 2})
	c.pipeline("/one/v3/pipeline", "", exec("SELECT 1"))
	second := c.pipeline("/two/v3/pipeline", "", exec("SELECT 1"))
	if resp, body := c.do("POST", "/one/v3/pipeline", `{"requests":[]}`); resp.StatusCode != 429 || body != `{"error":"Too many requests"}` {
		t.Errorf("answer %d %s", resp.StatusCode, body)
	}
	c.pipeline("/two/v3/pipeline", *second.Baton, closeStream)
	c.pipeline("/one/v3/pipeline", "", exec("SELECT 1"))
}

// Floats without a JSON number: an infinity is null, and NaN is NULL in SQLite.
func TestFloatsThatJSONLacks(t *testing.T) {
	c := newClient(t, Options{})
	out := c.pipeline("/one/v3/pipeline", "", exec("SELECT 1e999, -1e999, 1e999 - 1e999"), closeStream)
	if got := string(out.Results[0]); !strings.Contains(got, `"rows":[[{"type":"float","value":null},{"type":"float","value":null},{"type":"null"}]]`) {
		t.Error(got)
	}
	for _, bad := range []string{"1e999", "NaN", `"1.5"`, "null"} {
		resp, _ := c.do("POST", "/one/v3/pipeline", `{"requests":[{"type":"execute","stmt":{"sql":"SELECT ?","args":[{"type":"float","value":`+bad+`}]}}]}`)
		if resp.StatusCode != 400 {
			t.Errorf("%s: answer %d", bad, resp.StatusCode)
		}
	}
}
