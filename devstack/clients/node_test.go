package clients_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/devstack/clients/npmtest"
	"github.com/zen-auth/zen/devstack/clients/tursotest"
	"github.com/zen-auth/zen/devstack/turso"
)

func TestNodeClient(t *testing.T) { runNode(t, "http", "client.mjs", nodeSees) }

// Over a WebSocket the refusal has a reason.
func TestNodeClientOverWebSocket(t *testing.T) {
	refused := strings.Replace(nodeSees, `{"code": "SERVER_ERROR", "message": "SERVER_ERROR: Server returned HTTP status 401"}`, `{"code": "AUTH_JWT_INVALID",
		"message": "AUTH_JWT_INVALID: Authentication failed: unauthorized access attempt on database: invalid JWT token: can't be decoded with any of the existing keys"}`, 1)
	runNode(t, "ws", "client.mjs", refused)
}

func TestDrizzle(t *testing.T) { runNode(t, "http", "drizzle.mjs", drizzleSees) }

// runNode runs a script with a stack of its own and compares the JSON it prints.
func runNode(t *testing.T, scheme, script, sees string) {
	t.Helper()
	dir := npmtest.Install(t, "node")
	s := tursotest.New(t, turso.Options{})
	must(t, s.RegisterJWKS("acme", "clerk", s.Keys))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"DB_URL="+scheme+strings.TrimPrefix(s.URL, "http")+"/dbs/app", // of which the client drops the last element
		"DB_TOKEN="+s.JWT(t, turso.TokenOptions{}),
		"READ_TOKEN="+s.JWT(t, turso.TokenOptions{ReadOnly: true}),
		"BAD_TOKEN="+s.APIToken)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, stderr.String())
	}
	var got any
	must(t, json.Unmarshal(out, &got))
	var want any
	must(t, json.Unmarshal([]byte(sees), &want))
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

const drizzleSees = `{
	"returned": [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}],
	"joined": [{"name": "Ada", "notes": 2}, {"name": "Grace", "notes": 1}],
	"relational": [
		{"id": 1, "name": "Ada", "notes": [{"body": "2024-01-02", "extra": {"tags": ["x", "é"]}}, {"body": "", "extra": null}]},
		{"id": 2, "name": "Grace", "notes": [{"body": "third", "extra": null}]}
	],
	"written": "2023-11-14T22:13:20.000Z",
	"failure": "SQLITE_CONSTRAINT: SQLITE_CONSTRAINT: SQLite error: UNIQUE constraint failed: author.name",
	"updated": [{"id": 3, "body": "changed"}],
	"batch": [{"n": 2}]
}`

const nodeSees = `{
	"insert": {"affected": 1, "id": "1n"},
	"columns": ["id", "big", "f", "txt", "bin", "day"],
	"types": ["INTEGER", "INTEGER", "REAL", "TEXT", "BLOB", "DATE"],
	"rows": [
		["1n", "9223372036854775807n", 1.5, "nul \u0000 \"quote\" é 😀", [0, 1, 255], "2024-01-02"],
		["2n", "-9223372036854775808n", null, "", [], null]
	],
	"batch": [1, [[2.5]]],
	"failedBatch": {"code": "SQLITE_UNKNOWN", "message": "SQLITE_UNKNOWN: SQLITE_UNKNOWN: SQLite error: no such table: nowhere"},
	"inTransaction": [["1n"]],
	"afterTransactions": [["3n"]],
	"migrated": [["1n", null], ["2n", "3n"]],
	"constraint": {"code": "SQLITE_CONSTRAINT", "message": "SQLITE_CONSTRAINT: SQLite error: UNIQUE constraint failed: note.id"},
	"syntax": {"code": "SQL_PARSE_ERROR", "message": "SQL_PARSE_ERROR: SQL string could not be parsed: syntax error around L1:6: ` + "`SELEC`" + `"},
	"unauthorized": {"code": "SERVER_ERROR", "message": "SERVER_ERROR: Server returned HTTP status 401"},
	"readOnly": {"code": "BLOCKED", "message": "BLOCKED: Operation was blocked: SQL write operations are forbidden (current session doesn't have write permission)"}
}`
