package hrana

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/zen-auth/zen/devstack/engine"
)

type pipelineRequest struct {
	Baton    *string         `json:"baton"`
	Requests []streamRequest `json:"requests"`
}

type cursorRequest struct {
	Baton *string `json:"baton"`
	Batch *batch  `json:"batch"`
}

// streamRequest is any request of a pipeline; Type says which fields count.
type streamRequest struct {
	Type  string  `json:"type"`
	Stmt  *stmt   `json:"stmt"`
	Batch *batch  `json:"batch"`
	SQL   *string `json:"sql"`
	SQLID *int32  `json:"sql_id"`
}

type stmt struct {
	SQL       *string    `json:"sql"`
	SQLID     *int32     `json:"sql_id"`
	Args      []value    `json:"args"`
	NamedArgs []namedArg `json:"named_args"`
}

type namedArg struct {
	Name  string `json:"name"`
	Value value  `json:"value"`
}

type batch struct {
	Steps []step `json:"steps"`
}

type step struct {
	Condition *condition `json:"condition"`
	Stmt      *stmt      `json:"stmt"`
}

type condition struct {
	Type  string      `json:"type"`
	Step  *uint32     `json:"step"`
	Cond  *condition  `json:"cond"`
	Conds []condition `json:"conds"`
}

// value is an SQL value as JSON has it: an integer is a string, since JavaScript
// cannot hold 64 bits.
type value engine.Value

func (v *value) UnmarshalJSON(data []byte) error {
	var j struct {
		Type   string          `json:"type"`
		Value  json.RawMessage `json:"value"`
		Base64 *string         `json:"base64"`
	}
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	switch j.Type {
	case "null":
		*v = value{}
	case "integer":
		var s string
		if err := json.Unmarshal(j.Value, &s); err != nil {
			return errors.New("integer value: want a decimal integer as a string")
		}
		i, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return fmt.Errorf("integer value %q: want a decimal integer of 64 bits as a string", s)
		}
		*v = value{Kind: engine.Integer, Int: i}
	case "float":
		var f *float64
		if err := json.Unmarshal(j.Value, &f); err != nil || f == nil {
			return errors.New("float value: want a number")
		}
		*v = value{Kind: engine.Float, Float: *f}
	case "text":
		var s *string
		if err := json.Unmarshal(j.Value, &s); err != nil || s == nil {
			return errors.New("text value: want a string")
		}
		*v = value{Kind: engine.Text, Bytes: []byte(*s)}
	case "blob":
		if j.Base64 == nil {
			return errors.New("blob value: base64 is missing")
		}
		b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(*j.Base64, "="))
		if err != nil {
			return errors.New("blob value: want binary data encoded as base64")
		}
		*v = value{Kind: engine.Blob, Bytes: b}
	default:
		return fmt.Errorf("unknown value type %q", j.Type)
	}
	return nil
}
