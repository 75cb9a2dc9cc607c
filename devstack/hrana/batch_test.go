package hrana

import (
	"encoding/json"
	"strings"
	"testing"
)

// Each condition is that of step 2; step 0 succeeds, step 1 fails.
func TestConditions(t *testing.T) {
	const (
		yes = `{"type":"ok","step":0}`
		no  = `{"type":"ok","step":1}`
	)
	tests := map[string]bool{
		yes:                                 true,
		no:                                  false,
		`{"type":"error","step":0}`:         false,
		`{"type":"error","step":1}`:         true,
		`{"type":"not","cond":` + yes + `}`: false,
		`{"type":"not","cond":` + no + `}`:  true,
		`{"type":"and","conds":[]}`:         true,
		`{"type":"and","conds":[` + yes + `,` + yes + `]}`: true,
		`{"type":"and","conds":[` + yes + `,` + no + `]}`:  false,
		`{"type":"or","conds":[]}`:                         false,
		`{"type":"or","conds":[` + no + `,` + yes + `]}`:   true,
		`{"type":"or","conds":[` + no + `,` + no + `]}`:    false,
		`{"type":"is_autocommit"}`:                         true,
		`{"type":"not","cond":{"type":"is_autocommit"}}`:   false,
		`null`: true,
	}
	c := newClient(t, Options{})
	for cond, want := range tests {
		out := c.pipeline("/one/v3/pipeline", "", `{"type":"batch","batch":{"steps":[
			{"stmt":{"sql":"SELECT 1"}}, {"stmt":{"sql":"SELECT * FROM nope"}}, {"stmt":{"sql":"SELECT 2"},"condition":`+cond+`}]}}`, closeStream)
		var r struct {
			Response struct {
				Result struct {
					Results []json.RawMessage `json:"step_results"`
					Errors  []json.RawMessage `json:"step_errors"`
				} `json:"result"`
			} `json:"response"`
		}
		if err := json.Unmarshal(out.Results[0], &r); err != nil {
			t.Fatalf("%s: %v", cond, err)
		}
		res := r.Response.Result
		if len(res.Results) != 3 || len(res.Errors) != 3 {
			t.Fatalf("%s: %s", cond, out.Results[0])
		}
		if ran := string(res.Results[2]) != "null"; ran != want {
			t.Errorf("%s: step ran %v, want %v", cond, ran, want)
		}
		if string(res.Errors[2]) != "null" || string(res.Results[1]) != "null" {
			t.Errorf("%s: %s", cond, out.Results[0])
		}
		same(t, cond, res.Errors[1], `{"message":"SQLite error: no such table: nope","code":"SQLITE_UNKNOWN"}`)
	}
}

// A batch as @libsql/client sends it: everything or nothing.
func TestTransactionalBatch(t *testing.T) {
	c := newClient(t, Options{})
	run := func(sql ...string) string {
		steps := []string{`{"stmt":{"sql":"BEGIN IMMEDIATE"}}`}
		for i, s := range sql {
			b, _ := json.Marshal(map[string]any{"stmt": map[string]any{"sql": s}, "condition": map[string]any{"type": "ok", "step": i}})
			steps = append(steps, string(b))
		}
		n := len(sql)
		commit, _ := json.Marshal(map[string]any{"stmt": map[string]any{"sql": "COMMIT"}, "condition": map[string]any{"type": "ok", "step": n}})
		rollback, _ := json.Marshal(map[string]any{"stmt": map[string]any{"sql": "ROLLBACK"},
			"condition": map[string]any{"type": "not", "cond": map[string]any{"type": "ok", "step": n + 1}}})
		steps = append(steps, string(commit), string(rollback))
		out := c.pipeline("/one/v2/pipeline", "", `{"type":"batch","batch":{"steps":[`+strings.Join(steps, ",")+`]}}`, exec("SELECT count(*) FROM t"), closeStream)
		return string(out.Results[1])
	}
	c.pipeline("/one/v2/pipeline", "", exec("CREATE TABLE t (a UNIQUE)"), closeStream)
	if got := run("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"); !strings.Contains(got, `"value":"2"`) {
		t.Errorf("good batch: %s", got)
	}
	if got := run("INSERT INTO t VALUES (3)", "INSERT INTO t VALUES (1)"); !strings.Contains(got, `"value":"2"`) {
		t.Errorf("failing batch left rows behind: %s", got)
	}
}

// As in libsql-server, bad SQL anywhere keeps the whole batch from running.
func TestBatchIsParsedFirst(t *testing.T) {
	c := newClient(t, Options{})
	out := c.pipeline("/one/v3/pipeline", "", `{"type":"batch","batch":{"steps":[{"stmt":{"sql":"CREATE TABLE t (a)"}},{"stmt":{"sql":"SELEC"}}]}}`,
		exec("SELECT * FROM t"), closeStream)
	same(t, "batch", out.Results[0], inBand("SQL string could not be parsed: syntax error around L1:6: `SELEC`", "SQL_PARSE_ERROR"))
	same(t, "table", out.Results[1], inBand("SQLite error: no such table: t", "SQLITE_UNKNOWN"))
}
