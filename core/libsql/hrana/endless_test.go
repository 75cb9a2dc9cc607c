package hrana

import (
	"database/sql/driver"
	"io"
	"runtime"
	"strings"
	"testing"
)

// endless repeats a text without end.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		c := copy(p[n:], e.text[e.at:])
		n, e.at = n+c, (e.at+c)%len(e.text)
	}
	return n, nil
}

// The memory limit is checked while reading, so an endless answer never allocates much more
// than the limit. Half of it is allowed on top, for garbage that isn't collected yet.
func TestEndlessAnswers(t *testing.T) {
	const limit = 16 << 20
	head := `{"baton":null,"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[{"name":"a"}],"rows":[[{"type":`
	large := strings.Repeat("x", 1<<18)
	for name, answer := range map[string][2]string{
		"text":             {head + `"text","value":"`, "x"},
		"escapes":          {head + `"text","value":"`, `\n`},
		"halves of pairs":  {head + `"text","value":"`, `\ud800`},
		"integer":          {head + `"integer","value":"`, "1"},
		"blob":             {head + `"blob","base64":"`, "AAAA"},
		"value, then type": {strings.TrimSuffix(head, `"type":`) + `"value":"`, "x"},
		"name of a key":    {strings.TrimSuffix(head, `"type":`) + `"`, "x"},
		"unknown key":      {strings.TrimSuffix(head, `"type":`) + `"x":"`, "x"},
		"baton":            {`{"baton":"`, "x"},
		"base_url":         {`{"base_url":"`, "x"},
		"columns":          {`{"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[`, `{"name":"` + large + `"},`},
		"message":          {`{"results":[{"type":"error","error":{"message":"`, "x"},
		"row": {`{"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[` + strings.Repeat(`{"name":"a"},`, 199) + `{"name":"a"}],"rows":[[`,
			`{"type":"text","value":"` + large + `"},`},
		"row of no columns": {`{"results":[{"type":"ok","response":{"type":"execute","result":{"rows":[[`,
			`{"type":"text","value":"` + large + `"},`},
	} {
		t.Run(name, func(t *testing.T) {
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r := reply{closing: true, steps: make([]outcome, 1), mode: streamRows}
			r.s = newScanner(io.MultiReader(strings.NewReader(answer[0]), &endless{text: answer[1]}), limit)
			err := r.start()
			if r.paused && err == nil {
				_, err = r.row(make([]driver.Value, len(r.steps[0].cols)))
			}
			if err == nil {
				t.Error("no error")
			}
			r.s.free()
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > limit*3/2 {
				t.Errorf("%d MiB were allocated under a limit of %d MiB, until: %v", took>>20, limit>>20, err)
			}
		})
	}
}
