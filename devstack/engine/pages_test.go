package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
)

// puller is a Turso Sync client: a file and its revision.
type puller struct {
	follower
	revision string
}

// pull brings the file to the newest revision, or to the one given.
func (p *puller) pull(at string) (pages int) {
	p.t.Helper()
	got, err := p.db.Pages(p.revision, at, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	defer got.Close()
	err = got.Each(func(number uint32, page []byte) error {
		end := int(number) * pageSize
		p.grow(end)
		copy(p.file[end-pageSize:end], page)
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.grow(int(got.Size) * pageSize)
	p.file, p.revision = p.file[:int(got.Size)*pageSize], got.Revision
	return got.Len()
}

func newPuller(t testing.TB, db *DB) *puller {
	p := &puller{follower: follower{t: t, db: db}}
	p.pull("")
	return p
}

// A puller has what was committed, however often the log was copied and restarted.
func TestPullersSeeEveryCommit(t *testing.T) {
	db := newDB(t, Options{CheckpointFrames: 8})
	c := newConn(t, db)
	newPuller(t, db)
	mustRun(t, c, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
	early := newPuller(t, db)
	late := newPuller(t, db)
	for i := range 60 {
		switch {
		case i == 40:
			mustRun(t, c, "DELETE FROM t WHERE a > 10")
		case i%9 == 0:
			mustRun(t, c, "UPDATE t SET b = b || 'x' WHERE a % 5 = 1")
		default:
			mustRun(t, c, "INSERT INTO t (b) VALUES (?)", Value{Kind: Text, Bytes: fmt.Appendf(nil, "%d %0700d", i, i)})
		}
		if i%3 == 0 {
			early.pull("")
			same(t, early, c)
		}
	}
	late.pull("")
	same(t, late, c)
	if n := late.pull(""); n != 0 {
		t.Errorf("%d pages when nothing was committed", n)
	}
	if db.Generation() < 3 {
		t.Fatalf("only %d generations", db.Generation())
	}
}

func same(t *testing.T, p *puller, c *Conn) {
	t.Helper()
	const sql = "SELECT count(*), sum(length(b)), group_concat(a) FROM t"
	tab, _ := mustRun(t, c, sql)
	want := ""
	for _, v := range tab.rows[0] {
		want += fmt.Sprintf("%d %s|", v.Int, v.Bytes)
	}
	if got := p.rows(sql); got != want {
		t.Fatalf("at %s: %s, want %s", p.revision, got, want)
	}
}

// A pull pinned to a revision gets its pages unchanged, or is refused: it never gets
// newer ones.
func TestPinnedPages(t *testing.T) {
	db := newDB(t, Options{CheckpointFrames: 1 << 20})
	c := newConn(t, db)
	mustRun(t, c, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
	mustRun(t, c, "WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 50) INSERT INTO t SELECT v, hex(zeroblob(300)) FROM n")
	if err := db.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	pinned := newPuller(t, db)
	at, file := pinned.revision, bytes.Clone(pinned.file)
	again := func() error {
		p, err := db.Pages("", at, nil)
		if err != nil {
			return err
		}
		defer p.Close()
		var b bytes.Buffer
		if err := p.Each(func(_ uint32, page []byte) error { b.Write(page); return nil }); err != nil {
			return err
		}
		if !bytes.Equal(b.Bytes(), file) {
			t.Errorf("revision %s has changed", at)
		}
		return nil
	}
	mustRun(t, c, "UPDATE t SET b = 'new' WHERE a = 7")
	if err := again(); err != nil {
		t.Error(err)
	}
	// A reader prevents a checkpoint from completing, but not from copying earlier
	// frames.
	reader := newConn(t, db)
	mustRun(t, reader, "BEGIN")
	mustRun(t, reader, "SELECT count(*) FROM t")
	mustRun(t, c, "UPDATE t SET b = 'newer' WHERE a = 8")
	if err := db.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := again(); !errors.Is(err, ErrNoRevision) {
		t.Errorf("copied in part: %v", err)
	}
	mustRun(t, reader, "COMMIT")
	if err := db.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := again(); !errors.Is(err, ErrNoRevision) {
		t.Errorf("of a generation that ended: %v", err)
	}
	pinned.pull("")
	same(t, pinned, c)
}

func TestRevisionsOfOthersAreRefused(t *testing.T) {
	db := newDB(t, Options{CheckpointFrames: 1 << 20})
	c := newConn(t, db)
	mustRun(t, c, "CREATE TABLE t (a)")
	mustRun(t, c, "INSERT INTO t VALUES (1)")
	mine := newPuller(t, db).revision
	id := db.gens.id
	other := newPuller(t, newDB(t, Options{})).revision
	if _, err := db.Pages(mine, mine, nil); err != nil {
		t.Error(err)
	}
	for _, r := range []string{
		other, "x", id, id + "-1", id + "-0-0", id + "-1-9999", id + "-2-0", id + "-1--1", id + "-4294967296-0", id + "-1-1-1", "-1-1",
	} {
		if _, err := db.Pages(r, "", nil); !errors.Is(err, ErrNoRevision) {
			t.Errorf("since %q: %v", r, err)
		}
		if _, err := db.Pages("", r, nil); !errors.Is(err, ErrNoRevision) {
			t.Errorf("at %q: %v", r, err)
		}
		if _, err := db.Newer(r); !errors.Is(err, ErrNoRevision) {
			t.Errorf("newer than %q: %v", r, err)
		}
	}
}

// A restarted stack knows the revisions of the last run, even after a crash, which leaves
// the files in any state.
func TestRevisionsOutliveTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.db")
	db, c := openFile(t, path, 6)
	mustRun(t, c, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
	p := newPuller(t, db)
	for i := range 24 {
		mustRun(t, c, "INSERT INTO t (b) VALUES (hex(zeroblob(900)))")
		if i%3 == 0 {
			p.pull("")
		}
		if i%2 == 0 {
			left := filepath.Join(t.TempDir(), "data.db")
			for _, suffix := range []string{"", "-wal", "-generations"} {
				b, err := os.ReadFile(path + suffix)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(left+suffix, b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			path = left
		}
		c.Close()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db, c = openFile(t, path, 6)
		p.db = db
	}
	p.pull("")
	same(t, p, c)
	if db.Generation() < 3 {
		t.Errorf("only %d generations", db.Generation())
	}
	c.Close()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// A pull during writes gets a committed state.
func TestPullWhileOthersWrite(t *testing.T) {
	db := newDB(t, Options{CheckpointFrames: 16})
	c := newConn(t, db)
	mustRun(t, c, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
	wrote := make(chan error, 1)
	writer := newConn(t, db)
	go func() {
		for i := range 200 {
			sql := "INSERT INTO t (b) VALUES (hex(zeroblob(1000))), (hex(zeroblob(1000)))" // two at once
			if i%5 == 4 {
				sql = fmt.Sprintf("DELETE FROM t WHERE a IN (SELECT a FROM t ORDER BY a LIMIT %d)", 2*rand.IntN(3))
			}
			if _, err := writer.Run(t.Context(), Query{SQL: sql}, FullAccess, &table{}); err != nil {
				wrote <- err
				return
			}
		}
		wrote <- nil
	}()
	p := newPuller(t, db)
	for done := false; !done; {
		select {
		case err := <-wrote:
			if err != nil {
				t.Fatal(err)
			}
			done = true
		default:
		}
		p.pull("")
		if got := p.rows("SELECT count(*) % 2 FROM t"); got != "0 |" {
			t.Fatalf("half of a transaction at %s: %s", p.revision, got)
		}
	}
	same(t, p, c)
}

func TestAwaitNewer(t *testing.T) {
	db := newDB(t, Options{CheckpointFrames: 1 << 20})
	c := newConn(t, db)
	mustRun(t, c, "CREATE TABLE t (a)")
	p := newPuller(t, db)
	// A checkpoint doesn't count as a change.
	if err := db.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error, 1)
	go func() { waiting <- db.AwaitNewer(ctx, p.revision) }()
	mustRun(t, c, "INSERT INTO t VALUES (1)")
	if err := <-waiting; err != nil {
		t.Error(err)
	}
	p.pull("")
	go func() { waiting <- db.AwaitNewer(ctx, p.revision) }()
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestWantedPages(t *testing.T) {
	db := newDB(t, Options{})
	c := newConn(t, db)
	mustRun(t, c, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
	mustRun(t, c, "WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 50) INSERT INTO t SELECT v, hex(zeroblob(300)) FROM n")
	p, err := db.Pages("", "", func(page uint32) bool { return page == 2 || page == 5 || page == 99999 })
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var numbers []uint32
	if err := p.Each(func(n uint32, _ []byte) error { numbers = append(numbers, n); return nil }); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(numbers) != "[2 5]" {
		t.Error(numbers)
	}
	if err := p.Each(func(uint32, []byte) error { return io.ErrClosedPipe }); err != io.ErrClosedPipe {
		t.Error(err)
	}
}

// One event wakes all waiters, once.
func TestBroadcast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b broadcast
		b.send()
		first, second := b.next(), b.next()
		b.send()
		<-first
		<-second
		third := b.next()
		select {
		case <-third:
			t.Error("woken without an event")
		default:
		}
		b.send()
		<-third
	})
}
