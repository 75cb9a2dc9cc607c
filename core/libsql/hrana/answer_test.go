package hrana

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

const okClose = `,{"type":"ok","response":{"type":"close"}}`

// answers maps bodies of answers to [execute, close] to the first row in them.
var answers = map[string][]driver.Value{
	`{"baton":null,"base_url":null,"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[{"name":"a","decltype":"INTEGER"}],"rows":[[{"type":"integer","value":"-9223372036854775808"}]],"affected_row_count":0,"last_insert_rowid":null,"replication_index":"5","rows_read":1,"query_duration_ms":0.12}}}` + okClose + `]}`: {int64(-9223372036854775808)},
	// any order of keys, white space, unknown keys
	" {\n\"results\" : [ {\"response\" : {\"result\":{ \"x\":[{\"y\":[]},1,true,null,\"\\u0041\"],\"rows\":[[{\"value\":\"a\\u00e9\\ud83d\\ude00\\/\",\"type\":\"text\"}]],\"last_insert_rowid\":\"7\",\"affected_row_count\":\"1\",\"cols\":[{}]},\"type\":\"execute\"},\"type\":\"ok\"}" + okClose + "],\"baton\":null}\n": {"aé😀/"},
	answerWith(`{"type":"null"}`):                                {nil},
	answerWith(`{"type":"null","value":null}`):                   {nil},
	answerWith(`{"type":"integer","value":5}`):                   {int64(5)},
	answerWith(`{"value":"12","type":"integer"}`):                {int64(12)},
	answerWith(`{"type":"float","value":1}`):                     {1.0},
	answerWith(`{"type":"float","value":-1.5E-3}`):               {-1.5e-3},
	answerWith(`{"type":"blob","base64":"AP8="}`):                {[]byte{0, 255}},
	answerWith(`{"type":"blob","base64":"AP8"}`):                 {[]byte{0, 255}},
	answerWith(`{"base64":"","type":"blob"}`):                    {[]byte{}},
	answerWith(`{"type":"text","value":"\ud83d x\ud83d\u0041"}`): {"\ufffd x\ufffdA"},
	answerWith(`{"type":"text","value":""}`):                     {""},
}

// brokenAnswers are bodies that must fail with ErrProtocol.
var brokenAnswers = []string{
	``, `null`, `[]`, `"x"`, `<html>`, `{`, `{}`, `{"results":[]}`, `{"results":null}`,
	`{"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[],"rows":[]}}}]}`,                                 // close has no result
	`{"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[],"rows":[]}}}` + okClose + okClose + `]}`,        // one too many
	`{"results":[{"type":"ok","response":{"type":"batch","result":{"cols":[],"rows":[]}}}` + okClose + `]}`,                    // of another type
	`{"results":[{"type":"ok"}` + okClose + `]}`,                                                                               // no response
	`{"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[],"rows":[]}}}` + okClose + `]}{}`,                // more after the end
	`{"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[],"rows":[]},}}` + okClose + `]}`,                 // trailing comma
	`{"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[],"rows":[],"rows":[]}}}` + okClose + `]}`,        // rows twice
	`{"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[],"rows":[[{"type":"null"}]]}}}` + okClose + `]}`, // row too long
	`{"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[{"name":"a"}],"rows":[[]]}}}` + okClose + `]}`,    // row too short
	`{"results":[{"type":"ok","response":{"type":"execute","result":{"rows":[[]],"cols":[{"name":"a"}]}}}` + okClose + `]}`,    // the same, rows first
	`{"results":[{"type":"ok","response":{"type":"execute","result":{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}}}` + okClose + `]}`,
	answerWith(`{"type":"integer","value":"9223372036854775808"}`),
	answerWith(`{"type":"integer","value":"1.5"}`),
	answerWith(`{"type":"integer","value":""}`),
	answerWith(`{"type":"integer"}`),
	answerWith(`{"type":"float","value":"x"}`),
	answerWith(`{"type":"float","value":01}`),
	answerWith(`{"type":"float","value":1.}`),
	answerWith(`{"type":"text","value":1}`),
	answerWith(`{"type":"text","value":"a` + "\n" + `b"}`),
	answerWith(`{"type":"text","value":"\x"}`),
	answerWith(`{"type":"text","value":"\u12g4"}`),
	answerWith(`{"type":"blob","base64":"A!"}`),
	answerWith(`{"type":"decimal","value":"1"}`),
	answerWith(`{"value":"1"}`),
	answerWith(`{}`),
	answerWith(`5`),
}

func answerWith(value string) string {
	return `{"baton":null,"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[{"name":"a"}],"rows":[[` + value + `]]}}}` + okClose + `]}`
}

// readAnswer reads the answer to [execute, close] as Query and Rows do.
func readAnswer(body io.Reader) (rows [][]driver.Value, err error) {
	return readReply(body, reply{closing: true, steps: make([]outcome, 1)})
}

// readBatch reads the answer to [batch] of two steps, as in a transaction.
func readBatch(body io.Reader) (rows [][]driver.Value, err error) {
	return readReply(body, reply{batch: true, target: 1, steps: make([]outcome, 2)})
}

func readReply(body io.Reader, r reply) (rows [][]driver.Value, err error) {
	r.s, r.mode = newScanner(body, 1<<20), streamRows
	defer r.s.free()
	if err := r.start(); err != nil {
		return nil, err
	}
	target := &r.steps[r.target]
	if !r.paused {
		if _, err := new(Connector).newKeptRows(target); err != nil {
			return nil, err
		}
		return target.rows, verdict(r.err, r.steps, 0)
	}
	for {
		row := make([]driver.Value, len(target.cols))
		more, err := r.row(row)
		if !more || err != nil {
			return rows, errors.Join(err, verdict(r.err, r.steps, 0))
		}
		rows = append(rows, row)
	}
}

func TestAnswers(t *testing.T) {
	for body, want := range answers {
		// Once whole, and once byte by byte, so that tokens cross every boundary.
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(body), "bytes": iotest.OneByteReader(strings.NewReader(body))} {
			rows, err := readAnswer(r)
			if err != nil || len(rows) != 1 || !reflect.DeepEqual(rows[0], want) {
				t.Errorf("%s, %s: %v, %v; want %v", name, body, rows, err, want)
			}
		}
	}
}

func TestBrokenAnswers(t *testing.T) {
	for _, body := range brokenAnswers {
		if rows, err := readAnswer(strings.NewReader(body)); !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: %v, %v, want ErrProtocol", body, rows, err)
		}
	}
	for body := range answers {
		body = strings.TrimSpace(body)
		for i := range body {
			if _, err := readAnswer(strings.NewReader(body[:i])); !errors.Is(err, ErrProtocol) || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("cut after %s: %v, want ErrProtocol", body[:i], err)
			}
		}
	}
}

const batchStart = `{"baton":"b","results":[{"type":"ok","response":{"type":"batch","result":`

var batches = []string{
	batchStart + `{"step_results":[{"cols":[],"rows":[]},{"cols":[{"name":"a"}],"rows":[[{"type":"null"}]]}],"step_errors":[null,null]}}}]}`,
	batchStart + `{"step_errors":[null,null],"step_results":[{"rows":[],"cols":[]},{"rows":[[{"type":"null"}]],"cols":[{"name":"a"}]}]}}}]}`,
}

var brokenBatches = []string{
	batchStart + `{"step_results":[{}],"step_errors":[null,null]}}}]}`,
	batchStart + `{"step_results":[{},{},{}],"step_errors":[null,null]}}}]}`,
	batchStart + `{"step_results":[{},{}],"step_errors":[null]}}}]}`,
	batchStart + `{"step_results":[{},{}],"step_errors":[null,null,null]}}}]}`,
	batchStart + `{"step_results":[{},{}],"step_errors":[nil,null]}}}]}`,
	batchStart + `{"step_results":[true,{}]}}}]}`,
	batchStart + `{"step_results":{},"step_errors":[]}}}]}`,
	batchStart + `{"step_results":[{},{"cols":[],"rows":[],"rows":[]}]}}}]}`,
	batchStart + `{"step_results":[{"affected_row_count":-1.5},{}]}}}]}`,
	batchStart + `{"step_results":[{"last_insert_rowid":"x"},{}]}}}]}`,
	batchStart + `{"step_results":[{"cols":[1]},{}]}}}]}`,
}

func TestBatchAnswers(t *testing.T) {
	for _, body := range batches {
		if rows, err := readBatch(strings.NewReader(body)); err != nil || len(rows) != 1 {
			t.Errorf("%s: %v, %v, want one row", body, rows, err)
		}
	}
	for _, body := range brokenBatches {
		if _, err := readBatch(strings.NewReader(body)); !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: %v, want ErrProtocol", body, err)
		}
	}
	var e *Error
	failed := batchStart + `{"step_results":[{},null],"step_errors":[null,{"message":"m\u001b","code":null,"x":1}]}}}]}`
	if _, err := readBatch(strings.NewReader(failed)); !errors.As(err, &e) || *e != (Error{Message: "m", Statement: 2}) {
		t.Errorf("a failed step: %v, want its error with Statement 2", err)
	}
}

func TestScannerLimits(t *testing.T) {
	long := answerWith(`{"type":"text","value":"` + strings.Repeat("x", 2<<20) + `"}`)
	if _, err := readAnswer(strings.NewReader(long)); !errors.Is(err, ErrProtocol) {
		t.Errorf("a value beyond the limit: %v, want ErrProtocol", err)
	}
	digits := answerWith(`{"type":"float","value":1` + strings.Repeat("0", 20000) + `}`)
	if _, err := readAnswer(strings.NewReader(digits)); !errors.Is(err, ErrProtocol) {
		t.Errorf("a number of 20,000 digits: %v, want ErrProtocol", err)
	}
	if _, err := readAnswer(iotest.ErrReader(errors.New("cable cut"))); err == nil || errors.Is(err, ErrProtocol) {
		t.Errorf("a read error is returned as %v", err)
	}
	if _, err := readAnswer(neverReader{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that returns nothing: %v", err)
	}
}

type neverReader struct{}

func (neverReader) Read([]byte) (int, error) { return 0, nil }

// FuzzAnswer looks for panics, endless loops, and answers that differ when they are read byte
// by byte.
func FuzzAnswer(f *testing.F) {
	for body := range answers {
		f.Add([]byte(body))
	}
	for _, body := range brokenAnswers {
		f.Add([]byte(body))
	}
	for _, body := range append(batches, brokenBatches...) {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, read := range []func(io.Reader) ([][]driver.Value, error){readAnswer, readBatch} {
			whole, err := read(strings.NewReader(string(body)))
			bytewise, err2 := read(iotest.OneByteReader(strings.NewReader(string(body))))
			if (err == nil) != (err2 == nil) {
				t.Fatalf("whole: %v, byte by byte: %v", err, err2)
			}
			// Compared as text, because NaN differs from itself.
			if a, b := fmt.Sprintf("%T %v", whole, whole), fmt.Sprintf("%T %v", bytewise, bytewise); err == nil && a != b {
				t.Fatalf("whole: %s, byte by byte: %s", a, b)
			}
		}
	})
}
