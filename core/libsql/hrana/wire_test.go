package hrana

import (
	"encoding/json"
	"strconv"
)

// The protocol's structures, as the fake server reads and writes them.

type wireBody struct {
	Baton    *string       `json:"baton"`
	Requests []wireRequest `json:"requests"`
	Batch    *wireBatch    `json:"batch"`
}
type wireRequest struct {
	Type  string     `json:"type"`
	SQL   string     `json:"sql"`
	Stmt  *wireStmt  `json:"stmt"`
	Batch *wireBatch `json:"batch"`
}
type wireBatch struct {
	Steps []struct {
		Condition *wireCond `json:"condition"`
		Stmt      wireStmt  `json:"stmt"`
	} `json:"steps"`
}
type wireCond struct {
	Type  string     `json:"type"`
	Step  *int       `json:"step"`
	Cond  *wireCond  `json:"cond"`
	Conds []wireCond `json:"conds"`
}
type wireStmt struct {
	SQL       string          `json:"sql"`
	Args      []wireValue     `json:"args"`
	NamedArgs []wireNamedArgs `json:"named_args"`
	WantRows  *bool           `json:"want_rows"`
}
type wireNamedArgs struct {
	Name  string    `json:"name"`
	Value wireValue `json:"value"`
}
type wireValue struct {
	Type   string          `json:"type"`
	Value  json.RawMessage `json:"value,omitempty"`
	Base64 *string         `json:"base64,omitempty"`
}
type wireCol struct {
	Name     string  `json:"name"`
	DeclType *string `json:"decltype"`
}
type wireResult struct {
	Cols     []wireCol     `json:"cols"`
	Rows     [][]wireValue `json:"rows"`
	Affected int           `json:"affected_row_count"`
	RowID    *string       `json:"last_insert_rowid"`
}
type wireError struct {
	Message string `json:"message"`
	Code    string `json:"code"`
}

func integer(n int64) wireValue {
	return wireValue{Type: "integer", Value: json.RawMessage(`"` + strconv.FormatInt(n, 10) + `"`)}
}

func count(n int) wireResult {
	res := wireResult{Cols: []wireCol{{Name: "n"}}}
	for i := range n {
		res.Rows = append(res.Rows, []wireValue{integer(int64(i))})
	}
	return res
}
