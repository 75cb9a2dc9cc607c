package query

import (
	"bufio"
	"bytes"
	"database/sql/driver"
	"encoding/base64"
	"fmt"
	"math"
	"strconv"

	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/text"
)

// jsonRows writes {"schema_version":1,"columns":[…],"rows":[[…],…]}, a row a line.
type jsonRows struct {
	out  *bufio.Writer
	rows int
}

func newJSONRows(w *bufio.Writer, l layout) rowWriter {
	columns := l.columns
	j := &jsonRows{out: w}
	fmt.Fprintf(w, "{\n  \"schema_version\": %d,\n  \"columns\": ", app.SchemaVersion)
	_ = j.encode(columns) // strings have no error but the writer's, which it keeps
	w.WriteString(",\n  \"rows\": [")
	return j
}

func (j *jsonRows) row(values []driver.Value) error {
	separator := "\n    ["
	if j.rows++; j.rows > 1 {
		separator = ",\n    ["
	}
	j.out.WriteString(separator)
	for i, v := range values {
		if i > 0 {
			j.out.WriteByte(',')
		}
		if err := j.encode(jsonValue(v)); err != nil {
			return err
		}
	}
	return j.out.WriteByte(']')
}

func (j *jsonRows) encode(v any) error {
	value, err := text.JSON(v, "")
	if err == nil {
		_, err = j.out.Write(bytes.TrimSuffix(value, []byte("\n")))
	}
	return err
}

func (j *jsonRows) end() error {
	if j.rows > 0 {
		j.out.WriteString("\n  ")
	}
	_, err := j.out.WriteString("]\n}\n")
	return err
}

// cut leaves the document unfinished, so that it can't be taken for all of the rows.
func (j *jsonRows) cut() error { return j.out.WriteByte('\n') }

// jsonValue gives the two values a form that JSON lacks: a blob is {"base64":"…"},
// an infinite number a string.
func jsonValue(value any) any {
	switch v := value.(type) {
	case []byte:
		return map[string]string{"base64": base64.StdEncoding.EncodeToString(v)}
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return strconv.FormatFloat(v, 'g', -1, 64)
		}
	}
	return value
}
