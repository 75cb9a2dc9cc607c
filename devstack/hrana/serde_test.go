package hrana

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The texts and places are serde_json's.
func TestSerdeErrors(t *testing.T) {
	for body, want := range map[string]string{
		``:                              "EOF while parsing a value at line 1 column 0",
		`{`:                             "EOF while parsing an object at line 1 column 1",
		`{}`:                            "missing field `requests` at line 1 column 2",
		`null`:                          "invalid type: null, expected struct PipelineReqBody at line 1 column 4",
		`"x"`:                           `invalid type: string "x", expected struct PipelineReqBody at line 1 column 3`,
		`nul`:                           "EOF while parsing a value at line 1 column 3",
		`nope`:                          "expected ident at line 1 column 2",
		`x`:                             "expected value at line 1 column 1",
		`[null]`:                        "invalid length 1, expected struct PipelineReqBody with 2 elements at line 1 column 6",
		`{"requests":[]} x`:             "trailing characters at line 1 column 17",
		`{"requests":[],}`:              "trailing comma at line 1 column 16",
		`{"requests":[],"a"}`:           "expected `:` at line 1 column 19",
		`{"requests":[] "a":1}`:         "expected `,` or `}` at line 1 column 16",
		`{requests:[]}`:                 "key must be a string at line 1 column 2",
		`{"requests":{}}`:               "invalid type: map, expected a sequence at line 1 column 12",
		`{"requests":7}`:                "invalid type: integer `7`, expected a sequence at line 1 column 13",
		`{"requests":[7]}`:              "invalid type: integer `7`, expected internally tagged enum StreamRequest at line 1 column 14",
		`{"requests":[],"requests":[]}`: "duplicate field `requests` at line 1 column 25",
		`{"baton":7,"requests":[]}`:     "invalid type: integer `7`, expected a string at line 1 column 10",
		`{"requests":[{"type":99}]}`:    "invalid value: integer `99`, expected variant index 0 <= i < 8 at line 1 column 23",
		"{\n  \"requests\": [\n    {\"type\": \"nope\"}\n  ]\n}":                                             "unknown variant `nope`, expected one of `close`, `execute`, `batch`, `sequence`, `describe`, `store_sql`, `close_sql`, `get_autocommit` at line 3 column 19",
		`{"requests":[{"type":"execute"}]}`:                                                                  "missing field `stmt` at line 1 column 32",
		`{"requests":[{"type":"execute"}, 7]}`:                                                               "missing field `stmt` at line 1 column 33",
		`{"requests":[{"type":"execute","stmt":[1]}]}`:                                                       "invalid type: integer `1`, expected a string at line 1 column 43",
		`{"requests":[{"type":"close","type":"close"}]}`:                                                     "duplicate field `type` at line 1 column 35",
		`{"requests":[{"type":"store_sql","sql":"x"}]}`:                                                      "missing field `sql_id` at line 1 column 44",
		`{"requests":[{"type":"close_sql","sql_id":3000000000}]}`:                                            "invalid value: integer `3000000000`, expected i32 at line 1 column 54",
		`{"requests":[{"type":"close_sql","sql_id":1.5}]}`:                                                   "invalid type: floating point `1.5`, expected i32 at line 1 column 47",
		`{"requests":[{"type":"execute","stmt":{"sql":"x","want_rows":7}}]}`:                                 "invalid type: integer `7`, expected a boolean at line 1 column 65",
		`{"requests":[{"type":"execute","stmt":{"sql":"x","replication_index":"y"}}]}`:                       "invalid digit found in string at line 1 column 75",
		`{"requests":[{"type":"execute","stmt":{"sql":"x","args":[{"type":"integer","value":1}]}}]}`:         "invalid type: integer `1`, expected a borrowed string at line 1 column 89",
		`{"requests":[{"type":"execute","stmt":{"sql":"x","args":[{"type":"float","value":null}]}}]}`:        "invalid type: null, expected f64 at line 1 column 90",
		`{"requests":[{"type":"execute","stmt":{"sql":"x","args":[{"type":"float"}]}}]}`:                     "missing field `value` at line 1 column 77",
		`{"requests":[{"type":"execute","stmt":{"sql":"x","args":[{"type":"blob","base64":"*"}]}}]}`:         `invalid value: string "*", expected binary data encoded as base64 at line 1 column 89`,
		`{"requests":[{"type":"execute","stmt":{"sql":"x","args":[{"type":"float","value":1e999}]}}]}`:       "number out of range at line 1 column 86",
		`{"requests":[{"type":"execute","stmt":{"sql":"x","args":[{"type":"float","value":01}]}}]}`:          "invalid number at line 1 column 83",
		`{"requests":[{"type":"batch","batch":{"steps":[{"stmt":{"sql":"x"},"condition":{"type":"ok"}}]}}]}`: "missing field `step` at line 1 column 97",
		"{\"requests\":[{\"type\":\"execute\",\"stmt\":{\"sql\":\"a\nb\"}}]}":                                `control character (\u0000-\u001F) found while parsing a string at line 2 column 0`,
		`{"requests":[{"type":"execute","stmt":{"sql":"\x"}}]}`:                                              "invalid escape at line 1 column 48",
		`{"requests":[{"type":"execute","stmt":{"sql":"\udc00"}}]}`:                                          "lone leading surrogate in hex escape at line 1 column 52",
		strings.Repeat("[", 200): "invalid type: sequence, expected a string at line 1 column 1",
	} {
		d := &decoder{b: []byte(body)}
		var req pipelineRequest
		err := req.decode(d)
		if err == nil {
			err = d.end()
		}
		if err = d.placed(err); err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", body, err, want)
		}
	}
}

// FuzzSerde compares with encoding/json, which accepts more than serde.
func FuzzSerde(f *testing.F) {
	for _, seed := range []string{
		`{"baton":null,"requests":[{"type":"execute","stmt":{"sql":"é\u00e9\ud83d\ude00","args":[{"type":"float","value":-1.5e3}]}}]}`,
		`{"requests":[{"stmt":{"sql_id":1,"unknown":[{},null,true,"x"]},"type":"execute"}],"more":{"a":[1,2]}}`, `[null,[["close"]]]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		d := &decoder{b: []byte(body)}
		var req pipelineRequest
		err := req.decode(d)
		if err == nil {
			err = d.end()
		}
		if err == nil && !json.Valid([]byte(body)) {
			t.Errorf("%q is not JSON, but was accepted", body)
		}
		if err != nil && d.placed(err).(*jsonError).line == 0 {
			t.Errorf("%q: %v has no position", body, err)
		}
	})
}

// While a cursor's rows are sent its stream is idle, as in libsql-server.
func TestIdleClockOfACursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inMemory(t, newServer(t, Options{StreamTTL: 10 * time.Second}))
		begun := c.pipeline("/one/v3/pipeline", "", exec("BEGIN"))
		resp, err := c.start("/one/v3/cursor", `{"baton":"`+*begun.Baton+`","batch":{"steps":[{"stmt":{"sql":"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 300000) SELECT i FROM n"}}]}}`)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		lines := json.NewDecoder(resp.Body)
		var first pipelineResponse
		if err := lines.Decode(&first); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second) // three times the timeout of an idle stream
		rows, ended := 0, false
		for lines.More() {
			var line struct{ Type string }
			if err := lines.Decode(&line); err != nil {
				t.Fatal(err)
			}
			if line.Type == "row" {
				rows++
			}
			ended = line.Type == "replication_index"
		}
		if rows != 300000 || !ended {
			t.Errorf("%d rows, ended %t", rows, ended)
		}
		if resp, body := c.do("POST", "/one/v3/pipeline", `{"baton":"`+*first.Baton+`","requests":[`+exec("COMMIT")+`]}`); resp.StatusCode != 400 || !strings.Contains(body, "STREAM_EXPIRED") {
			t.Errorf("answer %d %s", resp.StatusCode, body)
		}
	})
}

// Values are limited, responses by libsql-server's own estimate, and requests only beyond
// what clients send.
func TestSizes(t *testing.T) {
	c := newClient(t, Options{})
	text := func(n int) string {
		return `{"type":"execute","stmt":{"sql":"SELECT length(?)","args":[{"type":"text","value":"` + strings.Repeat("x", n) + `"}]}}`
	}
	out := c.pipeline("/one/v3/pipeline", "", text(5_000_000), text(5_000_001), text(25_000_000),
		exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 3) SELECT zeroblob(3300000) FROM n"),
		exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 3) SELECT zeroblob(3400000) FROM n"), closeStream)
	for i, want := range []string{
		`"value":"5000000"`, "ARGS_INVALID", "Arguments do not match SQL parameters: string or blob too big", `"type":"blob"`, "RESPONSE_TOO_LARGE",
	} {
		if got := string(out.Results[i]); !strings.Contains(got, want) {
			t.Errorf("%d: %.200s, want %s", i, got, want)
		}
	}
	if resp, body := c.do("POST", "/one/v2/pipeline", `{"requests":[`+exec("SELECT CAST(x'41ff' AS TEXT)")+`]}`); resp.StatusCode != 500 || body != `{"error":"invalid utf-8 sequence of 1 bytes from index 1"}` {
		t.Errorf("answer %d %s", resp.StatusCode, body)
	}
	if resp, body := c.do("POST", "/one/v2/pipeline", `{"requests":[`+exec("SELECT CAST(x'e282' AS TEXT)")+`]}`); resp.StatusCode != 500 || body != `{"error":"incomplete utf-8 byte sequence from index 0"}` {
		t.Errorf("answer %d %s", resp.StatusCode, body)
	}
}

// If a transaction lost its lock to another one, every step of its batch fails.
func TestTimedOutBatch(t *testing.T) {
	c := newClient(t, Options{})
	slow := c.pipeline("/one/v3/pipeline", "", exec("CREATE TABLE t (a)"), exec("BEGIN IMMEDIATE"))
	c.pipeline("/one/v3/pipeline", "", exec("INSERT INTO t VALUES (1)"), closeStream)
	out := c.pipeline("/one/v3/pipeline", *slow.Baton, `{"type":"batch","batch":{"steps":[{"stmt":{"sql":"SELECT 1"}},{"stmt":{"sql":"SELECT 2"},"condition":{"type":"ok","step":0}}]}}`, closeStream)
	const timedOut = `{"message":"Transaction timed out","code":"TRANSACTION_TIMEOUT"}`
	same(t, "batch", out.Results[0], `{"type":"ok","response":{"type":"batch","result":{"step_results":[null,null],"step_errors":[`+timedOut+`,`+timedOut+`],"replication_index":"*"}}}`)
}

// The endpoints without streams.
func TestOlderEndpoints(t *testing.T) {
	c := newClient(t, Options{})
	for _, tt := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/v1/execute", `{"stmt":{"sql":"SELECT 7"}}`, 200, `"value":"7"`},
		{"/v1/execute", `{"stmt":{"sql":"SELEC"}}`, 400, `{"message":"SQL string could not be parsed: syntax error around L1:6: ` + "`SELEC`" + `","code":"SQL_PARSE_ERROR"}`},
		{"/v1/execute", `{"stmt":{"sql":"SELECT * FROM nope"}}`, 500, `"code":"SQLITE_UNKNOWN"`},
		{"/v1/execute", `{"stmt":{"sql_id":1}}`, 400, "`sql_id` is only supported in protocol version hrana2 and higher"},
		{"/v1/execute", `{}`, 400, "missing field `stmt`"},
		{"/v1/batch", `{"batch":{"steps":[{"stmt":{"sql":"SELECT 7"}},{"stmt":{"sql":"SELECT nope"}}]}}`, 200, `"step_errors":[null,{`},
		{"/", `{"statements":["CREATE TABLE v0 (a)",{"q":"INSERT INTO v0 VALUES (?)","params":[1.5]},{"q":"INSERT INTO v0 VALUES (:a)","params":{":a":{"base64":"AP8"}}},"SELECT a FROM v0"]}`, 200, `"rows":[[1.5],[{"base64":"AP8"}]]`},
		{"/", `{"statements":["INSERT INTO v0 VALUES (1)","SELECT nope FROM v0","SELECT 1"]}`, 200, `{"error":"SQL input error: no such column: nope (at offset 7)"},null]`},
		{"/", `{"statements":["BEGIN"]}`, 400, "interactive transaction not allowed in HTTP queries"},
		{"/dev/one/v2/pipeline", `{"requests":[]}`, 200, `"results":[]`},
	} {
		resp, body := c.do("POST", "/one"+tt.path, tt.body)
		if resp.StatusCode != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s %s: answer %d %s", tt.path, tt.body, resp.StatusCode, body)
		}
	}
}
