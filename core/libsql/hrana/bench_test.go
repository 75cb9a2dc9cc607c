package hrana

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/zen-auth/zen/internal/sqlite"
)

// canned serves one answer to every request, as fast as net/http can.
func canned(b *testing.B, answer string) (*httptest.Server, *sql.DB) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, answer)
	}))
	b.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		b.Fatal(err)
	}
	c, err := NewConnector(Config{URL: u, Transport: server.Client().Transport})
	if err != nil {
		b.Fatal(err)
	}
	db := sql.OpenDB(c)
	b.Cleanup(func() { _ = db.Close() })
	return server, db
}

// floor sends the driver's request and reads the answer with net/http alone.
func floor(b *testing.B, answer string) {
	server, _ := canned(b, answer)
	body := appendPipeline(nil, "", &call{steps: []step{{sql: "SELECT 1", wantRows: true}}, closing: true})
	client := server.Client()
	b.ReportAllocs()
	for b.Loop() {
		resp, err := client.Post(server.URL+"/v3/pipeline", "application/json", bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			b.Fatal(err)
		}
		resp.Body.Close()
	}
}

func query(b *testing.B, answer string, want int) {
	_, db := canned(b, answer)
	b.ReportAllocs()
	for b.Loop() {
		rows, err := db.Query("SELECT 1")
		if err != nil {
			b.Fatal(err)
		}
		got, err := numbers(rows, nil)
		if err != nil || len(got) != want {
			b.Fatalf("%d rows, %v", len(got), err)
		}
	}
}

func manyRows(n int) string {
	row := `[{"type":"integer","value":"12345"}]`
	return `{"baton":null,"base_url":null,"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[{"name":"n","decltype":"INTEGER"}],"rows":[` +
		strings.TrimSuffix(strings.Repeat(row+",", n), ",") + `],"affected_row_count":0,"last_insert_rowid":null}}}` + okClose + `]}`
}

func BenchmarkSelect(b *testing.B) {
	for _, n := range []int{1, 100, 10000} {
		answer := manyRows(n)
		b.Run(strconv.Itoa(n)+"rows/hrana", func(b *testing.B) { query(b, answer, n) })
		b.Run(strconv.Itoa(n)+"rows/floor", func(b *testing.B) { floor(b, answer) })
	}
}

func BenchmarkRequestBody(b *testing.B) {
	steps := []step{{sql: "INSERT INTO t (a, b, c) VALUES (?, ?, ?)", wantRows: false}}
	steps[0].args = named(int64(42), "some text of usual length", 1.5)
	b.ReportAllocs()
	for b.Loop() {
		_ = appendPipeline(make([]byte, 0, 512), "", &call{steps: steps, closing: true})
	}
}

func BenchmarkParseScript(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sqlite.Parse("SELECT id, name, created FROM users WHERE name = ? AND created > ? ORDER BY id LIMIT 10"); err != nil {
			b.Fatal(err)
		}
	}
}

func named(values ...driver.Value) []driver.NamedValue {
	args := make([]driver.NamedValue, len(values))
	for i, v := range values {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return args
}
