package turso

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack/hrana"
)

// residentBytes returns the memory of the process, SQLite's included.
func residentBytes(t testing.TB) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("SKIPPED: there is no /proc/self/status here")
	}
	_, after, _ := bytes.Cut(b, []byte("VmRSS:"))
	kib, err := strconv.ParseInt(strings.Fields(string(after))[0], 10, 64)
	must(t, err)
	return kib << 10
}

// 100 databases and 1,000 open streams, each in a transaction that has read, stay
// below 300 MB.
func TestMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector needs the memory itself")
	}
	s, err := New(Options{Hrana: hrana.Options{StreamTTL: time.Minute}})
	must(t, err)
	defer s.Close()
	must(t, s.CreateUser("alice", ""))
	must(t, s.CreateOrganization(Organization{Slug: "acme", Members: []string{"alice"}}))
	post := func(db, token, sql string) {
		t.Helper()
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/dbs/"+db+"/v3/pipeline", strings.NewReader(`{"requests":[{"type":"sequence","sql":"`+sql+`"}]}`))
		r.Header.Set("Authorization", "Bearer "+token)
		if s.ServeHTTP(w, r); w.Code != 200 || !strings.Contains(w.Body.String(), `"type":"ok"`) {
			t.Fatalf("answer %d %s", w.Code, w.Body)
		}
	}
	for i := range 100 {
		db := fmt.Sprintf("db%d", i)
		_, err := s.CreateDatabase("acme", db)
		must(t, err)
		token, err := s.CreateDatabaseToken("acme", db, TokenOptions{})
		must(t, err)
		post(db, token, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); INSERT INTO t (b) VALUES (hex(randomblob(5000)))")
		for range 10 {
			post(db, token, "BEGIN; SELECT * FROM t")
		}
	}
	runtime.GC()
	got := residentBytes(t)
	t.Logf("%d MB", got>>20)
	if got > 300e6 {
		t.Errorf("%d MB resident, want less than 300", got/1e6)
	}
}
