package turso

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack/engine"
	"github.com/zen-auth/zen/internal/testwait"
)

// TestSoak runs a mixed load and checks that no rows are lost and memory doesn't grow:
// for a second, or for as long as ZEN_TEST_SOAK says (30m, say).
func TestSoak(t *testing.T) {
	duration := time.Second
	if v := os.Getenv("ZEN_TEST_SOAK"); v != "" {
		d, err := time.ParseDuration(v)
		must(t, err)
		duration = d
	}
	f := newFixture(t, Options{CheckpointFrames: 200})
	tok, err := f.CreateDatabaseToken("acme", "app", TokenOptions{})
	must(t, err)
	pipeline := func(baton string, requests ...string) (next string, answer string) {
		body, err := json.Marshal(baton)
		must(t, err)
		if baton == "" {
			body = []byte("null")
		}
		status, answer := f.do("POST", "/dbs/app/v3/pipeline", tok, `{"baton":`+string(body)+`,"requests":[`+strings.Join(requests, ",")+`]}`)
		if status != 200 || strings.Contains(answer, `"type":"error"`) {
			t.Errorf("answer %d %.300s", status, answer)
			return "", answer
		}
		if _, after, ok := strings.Cut(answer, `"baton":"`); ok {
			next, _, _ = strings.Cut(after, `"`)
		}
		return next, answer
	}
	run := func(sql string) string { return `{"type":"execute","stmt":{"sql":"` + sql + `"}}` }
	const closing = `{"type":"close"}`
	pipeline("", run("CREATE TABLE kept (id INTEGER PRIMARY KEY, b BLOB)"), run("CREATE TABLE scratch (a)"), closing)

	var (
		kept, requests, synced atomic.Int64
		generation             atomic.Int64
		wg                     sync.WaitGroup
		end                    = time.Now().Add(duration)
	)
	loop := func(pause time.Duration, step func()) {
		wg.Go(func() {
			for time.Now().Before(end) && !t.Failed() {
				step()
				requests.Add(1)
				testwait.Moment(t.Context(), pause/2, pause*3/2)
			}
		})
	}
	for range 2 { // rows that have to be there in the end
		loop(20*time.Millisecond, func() {
			pipeline("", run("INSERT INTO kept (b) VALUES (randomblob(20))"), closing)
			kept.Add(1)
		})
	}
	loop(30*time.Millisecond, func() { // interactive, half of them given up
		baton, _ := pipeline("", run("BEGIN IMMEDIATE"), run("INSERT INTO kept (b) VALUES (NULL)"))
		if rand.IntN(2) == 0 {
			pipeline(baton, run("COMMIT"), closing)
			kept.Add(1)
		} else {
			pipeline(baton, run("ROLLBACK"), closing)
		}
	})
	loop(20*time.Millisecond, func() { // much written, nothing kept
		pipeline("", run("INSERT INTO scratch VALUES (randomblob(20000))"), run("DELETE FROM scratch WHERE rowid < (SELECT max(rowid) - 20 FROM scratch)"), closing)
	})
	for range 2 {
		loop(10*time.Millisecond, func() {
			pipeline("", run("SELECT count(*) FROM kept"), run("SELECT id FROM kept ORDER BY id DESC LIMIT 100"), closing)
		})
	}
	var frame, in uint32 = 1, 1 // of a replica that follows
	loop(25*time.Millisecond, func() {
		status, body := f.do("GET", fmt.Sprintf("/dbs/app/sync/%d/%d/%d", in, frame, frame+128), tok, "")
		if status == 200 {
			n := follow([]byte(body))
			frame += n
			synced.Add(int64(n))
			return
		}
		var end struct{ Generation uint32 }
		if err := json.Unmarshal([]byte(body), &end); err != nil || status != 400 || end.Generation == 0 {
			t.Errorf("sync: %d %s", status, body)
		}
		if end.Generation > in {
			in, frame = in+1, 1
		}
		generation.Store(int64(in))
	})
	loop(time.Second, func() { // destroyed and made again
		name := fmt.Sprintf("soak%d", rand.IntN(1e9))
		f.do("POST", "/v1/organizations/acme/databases", f.alice, `{"name":"`+name+`"}`)
		f.do("POST", "/dbs/"+name+"/v2/pipeline", f.alice, select1)
		f.do("DELETE", "/v1/organizations/acme/databases/"+name, f.alice, "")
	})
	start := time.Now()
	for next := time.Now(); time.Now().Before(end); testwait.For(t.Context(), min(time.Until(end), 100*time.Millisecond)) {
		if duration > time.Minute && time.Now().After(next) {
			runtime.GC()
			t.Logf("%v: %d MB, %d requests, %d rows, generation %d", time.Since(start).Round(time.Second), residentBytes(t)>>20, requests.Load(), kept.Load(), generation.Load())
			next = next.Add(duration / 15)
		}
	}
	wg.Wait()
	_, answer := pipeline("", run("SELECT 'rows=' || count(*) FROM kept"), run("SELECT * FROM pragma_integrity_check"), closing)
	if want := fmt.Sprintf(`"rows=%d"`, kept.Load()); !strings.Contains(answer, want) || !strings.Contains(answer, `"ok"}`) {
		t.Errorf("pipeline = %s, want %s", answer, want)
	}
	t.Logf("%d requests, %d rows, %d frames synced, generation %d", requests.Load(), kept.Load(), synced.Load(), generation.Load())
}

// follow counts the frames of an answer.
func follow(body []byte) uint32 {
	if len(body) < 4 || binary.BigEndian.Uint32(body) == 0 {
		return 0
	}
	return uint32(len(body) / engine.FrameSize)
}
