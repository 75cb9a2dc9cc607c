package dbsync

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/zen-auth/zen/devstack/engine"
	"github.com/zen-auth/zen/devstack/hrana"
)

// updates is the parsed response to a pull.
type updates struct {
	revision             string
	size                 uint64
	raw                  bool
	kind, mode, protocol uint64
	pages                map[uint64][]byte
}

func readUpdates(t testing.TB, b []byte) (u updates) {
	t.Helper()
	u.pages = make(map[uint64][]byte)
	for first := true; len(b) > 0; first = false {
		message, n := protowire.ConsumeBytes(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		id, page := uint64(0), []byte(nil)
		for len(message) > 0 {
			number, kind, n := protowire.ConsumeTag(message)
			if n < 0 {
				t.Fatal(protowire.ParseError(n))
			}
			message = message[n:]
			var value uint64
			var data []byte
			if kind == protowire.VarintType {
				value, n = protowire.ConsumeVarint(message)
			} else {
				data, n = protowire.ConsumeBytes(message)
			}
			if n < 0 {
				t.Fatal(protowire.ParseError(n))
			}
			message = message[n:]
			switch {
			case !first && number == 1:
				id = value
			case !first:
				page = data
			case number == 1:
				u.revision = string(data)
			case number == 2:
				u.size = value
			case number == 3:
				u.raw = true
			case number == 5:
				u.kind = value
			case number == 6:
				u.mode = value
			case number == 8:
				u.protocol = value
			}
		}
		if !first {
			u.pages[id] = page
		}
	}
	return u
}

// request is what a client sends.
type request struct {
	zstd, logical bool
	at, since     string
	poll          time.Duration
	selector      []byte
	query         string
}

func (r request) bytes() []byte {
	var b []byte
	text := func(number protowire.Number, s string) {
		if s != "" {
			b = protowire.AppendString(protowire.AppendTag(b, number, protowire.BytesType), s)
		}
	}
	if r.zstd {
		b = appendVarint(b, 1, 1)
	}
	text(2, r.at)
	text(3, r.since)
	b = appendVarint(b, 4, uint64(r.poll.Milliseconds()))
	text(5, string(r.selector))
	text(7, r.query)
	if r.logical {
		b = appendVarint(b, 8, 1)
	}
	return b
}

func pulled(t testing.TB, s *Server, r request) updates {
	t.Helper()
	w := do(s, "POST", UpdatesPath, "", r.bytes())
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/protobuf" {
		t.Fatalf("answer %d %v %s", w.Code, w.Header(), w.Body)
	}
	return readUpdates(t, w.Body.Bytes())
}

// The header's bytes are those of the reference server's response to @tursodatabase/sync
// 0.7.2, and the request's are those that this client sent.
func TestUpdatesWire(t *testing.T) {
	if got := fmt.Sprintf("%x", updatesHeader{revision: "5", size: 5, protocol: protocolPages}.append(nil)); got != "090a013510051a004001" {
		t.Error(got)
	}
	head := fmt.Sprintf("%x", appendPage(nil, 1, make([]byte, engine.PageSize)))[:12]
	if head != "832012802000" {
		t.Error(head)
	}
	sent, err := hex.DecodeString("1a013520dc0b")
	must(t, err)
	r, err := parseUpdates(sent)
	if err != nil || r.since != "5" || r.poll != 1500*time.Millisecond || r.at != "" || r.zstd || r.logical || r.selector != nil {
		t.Errorf("parseUpdates = %+v %v", r, err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestUpdates(t *testing.T) {
	s, db := newServer(t)
	run(t, db, "INSERT INTO t VALUES (zeroblob(20000))")
	all := pulled(t, s, request{})
	if !all.raw || all.protocol != protocolPages || all.kind != 0 || all.mode != 0 || len(all.pages) != int(all.size) || all.size < 6 {
		t.Fatalf("pulled = %+v", all.size)
	}
	if !bytes.HasPrefix(all.pages[0], []byte("SQLite format 3\x00")) {
		t.Errorf("page 0 is %.20q", all.pages[0])
	}
	if none := pulled(t, s, request{since: all.revision}); len(none.pages) != 0 || none.revision != all.revision || none.size != all.size {
		t.Errorf("%d pages, %+v", len(none.pages), none.revision)
	}
	run(t, db, "UPDATE t SET a = 1 WHERE rowid = 99") // which is empty
	run(t, db, "INSERT INTO t VALUES (1)")
	some := pulled(t, s, request{since: all.revision})
	if n := len(some.pages); n == 0 || n >= int(all.size) || some.revision == all.revision {
		t.Errorf("%d pages of %d at %s", n, all.size, some.revision)
	}
	// Pulled in parts, all from the same state.
	if got := pulled(t, s, request{at: all.revision, selector: array(0, 2, 77)}); len(got.pages) != 2 || !bytes.Equal(got.pages[0], all.pages[0]) || got.revision != all.revision {
		t.Errorf("%d pages at %s", len(got.pages), got.revision)
	}
	// Fields that the reference server ignores.
	if got := pulled(t, s, request{query: "SELECT 1"}); len(got.pages) != int(got.size) {
		t.Errorf("%d pages of %d", len(got.pages), got.size)
	}
	if db.Stats().BytesSynced < int64(all.size)*engine.PageSize {
		t.Errorf("%d bytes were counted", db.Stats().BytesSynced)
	}
}

// A client that was forced to ask for the log of a database in MVCC mode gets all pages,
// or nothing new.
func TestUpdatesOfALogThatIsNone(t *testing.T) {
	s, db := newServer(t)
	first := pulled(t, s, request{logical: true})
	if first.kind != 0 || first.mode != modeReplaceBase || first.protocol != protocolMVCCLogs || len(first.pages) != int(first.size) {
		t.Errorf("pulled = %+v", first)
	}
	if same := pulled(t, s, request{logical: true, since: first.revision}); same.kind != streamLogical || same.mode != 0 || len(same.pages) != 0 {
		t.Errorf("pulled = %+v", same)
	}
	run(t, db, "INSERT INTO t VALUES (1)")
	if again := pulled(t, s, request{logical: true, since: first.revision}); again.kind != 0 || again.mode != modeReplaceBase || len(again.pages) != int(again.size) {
		t.Errorf("pulled = %+v", again)
	}
}

func TestUpdatesRefused(t *testing.T) {
	s, _ := newServer(t)
	other, _ := newServer(t)
	foreign := pulled(t, other, request{}).revision
	for _, tt := range []struct {
		name, rights string
		body         []byte
		status       int
		text         string
	}{
		{"no token", "none", nil, 401, "no"},
		{"rights to one table", "one table", nil, 401, "Unauthorized"},
		{"zstd", "", request{zstd: true}.bytes(), 400, "zstd encoding is not supported"},
		{"another database's revision", "", request{since: foreign}.bytes(), 404, "remove the local files"},
		{"pinned to another database's revision", "", request{at: foreign}.bytes(), 404, "remove the local files"},
		{"a poll from another database's revision", "", request{since: foreign, poll: time.Hour}.bytes(), 404, "remove the local files"},
		{"logical changes from another database's revision", "", request{since: foreign, logical: true}.bytes(), 404, "remove the local files"},
		{"not Protobuf", "", []byte("SELECT 1"), 400, "invalid PullUpdatesRequest"},
		{"a field of another type", "", []byte{0x18, 1}, 400, "a field has another type"},
		{"a selector that is not a bitmap", "", request{selector: []byte("pages")}.bytes(), 400, "not a roaring bitmap"},
		{"a request that is too large", "", make([]byte, maxUpdatesRequest+1), 413, "too large"},
	} {
		w := do(s, "POST", UpdatesPath, tt.rights, tt.body)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.text) {
			t.Errorf("%s: answer %d %s", tt.name, w.Code, w.Body)
		}
	}
	for _, rights := range []string{"read", "read all tables"} {
		if w := do(s, "POST", UpdatesPath, rights, nil); w.Code != 200 {
			t.Errorf("%s: answer %d %s", rights, w.Code, w.Body)
		}
	}
	if w := do(s, "GET", UpdatesPath, "", nil); w.Code != 404 {
		t.Errorf("GET: %d", w.Code)
	}
	if w := do(s, "OPTIONS", UpdatesPath, "none", nil); w.Code != 200 || w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("preflight: %d %v", w.Code, w.Header())
	}
}

// polled serves one poll, and sends its response.
func polled(ctx context.Context, s *Server, r request) (answered <-chan *httptest.ResponseRecorder) {
	done := make(chan *httptest.ResponseRecorder, 1)
	go func() {
		w := httptest.NewRecorder()
		req := httptest.NewRequestWithContext(ctx, "POST", "http://x/", bytes.NewReader(r.bytes()))
		s.Serve(w, req, "one", UpdatesPath)
		done <- w
	}()
	return done
}

// A waiting poll is answered by the next commit.
func TestPollEndsWithACommit(t *testing.T) {
	s, db := newServer(t)
	first := pulled(t, s, request{})
	answered := polled(t.Context(), s, request{since: first.revision, poll: time.Hour})
	run(t, db, "INSERT INTO t VALUES (1)")
	if u := readUpdates(t, (<-answered).Body.Bytes()); len(u.pages) == 0 {
		t.Error("no pages")
	}
	// A first pull, or one for an earlier state, doesn't wait.
	for _, r := range []request{{poll: time.Hour}, {since: first.revision, poll: time.Hour, at: first.revision}} {
		pulled(t, s, r)
	}
}

func TestPollEndsWithItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newServer(t)
		first := pulled(t, s, request{})
		began := time.Now()
		if u := pulled(t, s, request{since: first.revision, poll: time.Minute}); len(u.pages) != 0 || u.revision != first.revision {
			t.Errorf("pulled = %+v", u)
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("it took %s", took)
		}
		pulled(t, s, request{since: first.revision, poll: 24 * time.Hour})
		if took := time.Since(began); took != time.Minute+maxPoll {
			t.Errorf("it took %s", took)
		}
	})
}

// A stopping server answers waiting polls, and lets no more wait.
func TestPollEndsWithTheServer(t *testing.T) {
	s, _ := newServer(t)
	first := pulled(t, s, request{})
	answered := polled(t.Context(), s, request{since: first.revision, poll: time.Hour})
	s.Leave()
	for range 2 {
		w := <-answered
		if u := readUpdates(t, w.Body.Bytes()); w.Code != 200 || u.revision != first.revision || len(u.pages) != 0 {
			t.Errorf("%d %+v", w.Code, u)
		}
		answered = polled(t.Context(), s, request{since: first.revision, poll: time.Hour})
	}
	<-answered
}

// Deleting a database doesn't wait for its polls.
func TestPollEndsWithTheDatabase(t *testing.T) {
	s, db := newServer(t)
	first := pulled(t, s, request{})
	answered := polled(t.Context(), s, request{since: first.revision, poll: time.Hour})
	must(t, db.Close())
	if w := <-answered; w.Code != 500 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestPollEndsWithItsClient(t *testing.T) {
	s, _ := newServer(t)
	first := pulled(t, s, request{})
	ctx, cancel := context.WithCancel(t.Context())
	answered := polled(ctx, s, request{since: first.revision, poll: time.Hour})
	cancel()
	<-answered // or the handler would leak
}

func TestPollEndsWithTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, db := newServer(t)
		refusal := &hrana.StatusError{Status: 401, Body: errorBody{"ended"}}
		s.options.PollEnds = func(*http.Request) (time.Duration, error) { return time.Minute, refusal }
		first := pulled(t, s, request{})
		began := time.Now()
		if u := pulled(t, s, request{since: first.revision, poll: time.Second}); len(u.pages) != 0 {
			t.Errorf("pulled = %+v", u)
		}
		if w := <-polled(t.Context(), s, request{since: first.revision, poll: time.Hour}); w.Code != 401 || !strings.Contains(w.Body.String(), "ended") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if took := time.Since(began); took != time.Minute+time.Second {
			t.Errorf("it took %s", took)
		}
		answered := polled(t.Context(), s, request{since: first.revision, poll: time.Hour})
		run(t, db, "INSERT INTO t VALUES (1)")
		if w := <-answered; w.Code != 200 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

// The response is chunked, so that a client that ignores lengths also sees its end.
func TestUpdatesComeInChunks(t *testing.T) {
	s, _ := newServer(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.Serve(w, r, "one", UpdatesPath) }))
	defer server.Close()
	first := pulled(t, s, request{})
	for _, r := range []request{{}, {since: first.revision}} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", server.URL, bytes.NewReader(r.bytes()))
		must(t, err)
		resp, err := server.Client().Do(req)
		must(t, err)
		if resp.ContentLength != -1 || len(resp.TransferEncoding) == 0 {
			t.Errorf("length %d, %v", resp.ContentLength, resp.TransferEncoding)
		}
		_, err = io.ReadAll(resp.Body)
		must(t, errors.Join(err, resp.Body.Close()))
	}
}

// Responses leave no file behind, even if the client disconnects.
func TestUpdatesLeaveNoFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s, db := newServer(t)
	run(t, db, "INSERT INTO t VALUES (zeroblob(100000))")
	pulled(t, s, request{})
	func() {
		defer func() {
			if recover() != http.ErrAbortHandler {
				t.Error("the answer wasn't cut off")
			}
		}()
		s.Serve(&broken{httptest.NewRecorder()}, httptest.NewRequest("POST", "http://x/", nil), "one", UpdatesPath)
	}()
	left, err := filepath.Glob(filepath.Join(dir, "devstack-pages-*"))
	must(t, err)
	if len(left) > 0 {
		t.Errorf("files left behind: %v", left)
	}
}

// broken is a client that disconnects after the header.
type broken struct{ *httptest.ResponseRecorder }

func (b *broken) Write(p []byte) (int, error) {
	if len(p) > engine.PageSize {
		return 0, io.ErrClosedPipe
	}
	return b.ResponseRecorder.Write(p)
}

// array is a bitmap with one container of single values.
func array(values ...uint16) []byte {
	b := binary.LittleEndian.AppendUint32(nil, cookieWithoutRuns)
	b = binary.LittleEndian.AppendUint32(b, 1)
	b = binary.LittleEndian.AppendUint16(b, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(values)-1))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(b)+4))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	return b
}
