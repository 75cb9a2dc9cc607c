package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// follower is a replica that works like libsql's client: a file, and a log of frames that
// it copies into the file when a generation ends.
type follower struct {
	t          testing.TB
	db         *DB
	file       []byte
	generation uint32
	frame      uint32 // last committed one
}

func follow(t testing.TB, db *DB) *follower {
	t.Helper()
	f := &follower{t: t, db: db, generation: db.Generation()}
	r, err := db.Export(f.generation)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if f.file, err = io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	return f
}

// pull applies one answer and reports whether there was nothing left.
func (f *follower) pull() (done bool) {
	f.t.Helper()
	b, current, err := f.db.Frames(f.generation, f.frame+1, f.frame+129)
	if err != nil {
		f.t.Fatal(err)
	}
	if len(b) == 0 {
		if f.generation >= current {
			return true
		}
		f.generation, f.frame = f.generation+1, 0
		return false
	}
	for ; len(b) > 0; b = b[FrameSize:] {
		end := int(binary.BigEndian.Uint32(b)) * pageSize
		f.grow(end)
		copy(f.file[end-pageSize:end], b[frameHeaderSize:FrameSize])
		if size := int(binary.BigEndian.Uint32(b[4:])) * pageSize; size > 0 {
			f.grow(size) // a page that was allocated and freed at once is in no frame
			f.file = f.file[:size]
		}
		f.frame++
	}
	return false
}

func (f *follower) grow(size int) {
	if missing := size - len(f.file); missing > 0 {
		f.file = append(f.file, make([]byte, missing)...)
	}
}

func (f *follower) sync() {
	f.t.Helper()
	for i := 0; !f.pull(); i++ {
		if i > 10000 {
			f.t.Fatalf("stuck in generation %d at frame %d of %d", f.generation, f.frame, f.db.Generation())
		}
	}
}

// rows opens the follower's file as a database.
func (f *follower) rows(sql string) string {
	f.t.Helper()
	path := filepath.Join(f.t.TempDir(), "replica.db")
	if err := os.WriteFile(path, f.file, 0o600); err != nil {
		f.t.Fatal(err)
	}
	c := newConn(f.t, newDB(f.t, Options{Path: path}))
	if tab, _ := mustRun(f.t, c, "PRAGMA integrity_check"); string(tab.rows[0][0].Bytes) != "ok" {
		f.t.Fatalf("generation %d, frame %d: %s", f.generation, f.frame, tab.rows[0][0].Bytes)
	}
	tab, _ := mustRun(f.t, c, sql)
	var s string
	for _, row := range tab.rows {
		for _, v := range row {
			s += fmt.Sprintf("%d %s|", v.Int, v.Bytes)
		}
	}
	return s
}

func TestFollowersSeeEveryCommit(t *testing.T) {
	db := newDB(t, Options{CheckpointFrames: 8})
	c := newConn(t, db)
	empty := follow(t, db)
	mustRun(t, c, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
	early := follow(t, db)
	early.sync()
	for i := range 50 {
		mustRun(t, c, "INSERT INTO t (b) VALUES (?)", Value{Kind: Text, Bytes: fmt.Appendf(nil, "%d %0500d", i, i)})
		if i%7 == 0 {
			early.sync()
			if got, want := early.rows("SELECT count(*) FROM t"), fmt.Sprintf("%d |", i+1); got != want {
				t.Fatalf("rows = %q, want %q", got, want)
			}
		}
	}
	mustRun(t, c, "DELETE FROM t WHERE a > 10")
	if db.Generation() < 4 {
		t.Errorf("generation %d: no checkpoints", db.Generation())
	}
	for name, f := range map[string]*follower{"empty": empty, "early": early, "new": follow(t, db)} {
		f.sync()
		if got := f.rows("SELECT count(*), sum(a) FROM t"); got != "10 |55 |" {
			t.Errorf("%s: rows = %q", name, got)
		}
	}
	for _, g := range []uint32{0, db.Generation() + 1} {
		if _, _, err := db.Frames(g, 1, 2); !errors.Is(err, ErrNoGeneration) {
			t.Errorf("generation %d: %v", g, err)
		}
		if _, err := db.Export(g); !errors.Is(err, ErrNoGeneration) {
			t.Errorf("export of generation %d: %v", g, err)
		}
	}
}

// A replica that stopped at any point, inside a generation or between two responses, ends
// up with the whole database.
func TestFollowersUnderLoad(t *testing.T) {
	db := newDB(t, Options{CheckpointFrames: 20})
	mustRun(t, newConn(t, db), "CREATE TABLE t (a INTEGER PRIMARY KEY, w INT, b BLOB); ")
	const writers, each = 3, 150
	var wg sync.WaitGroup
	for w := range writers {
		c := newConn(t, db)
		wg.Go(func() {
			for i := range each {
				q := Query{SQL: "INSERT INTO t (w, b) VALUES (?, randomblob(?))", Positional: []Value{
					{Kind: Integer, Int: int64(w)}, {Kind: Integer, Int: int64(rand.IntN(9000))}}}
				if _, err := c.Run(t.Context(), q, FullAccess, discard{}); err != nil {
					t.Error(err)
				}
				if i%10 == 9 {
					q = Query{SQL: "UPDATE t SET b = randomblob(200) WHERE a % 7 = 1"}
					if _, err := c.Run(t.Context(), q, FullAccess, discard{}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	// A reader sometimes keeps checkpoints from completing.
	reader, stop := newConn(t, db), make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			for _, sql := range []string{"BEGIN", "SELECT count(*) FROM t", "COMMIT"} {
				if _, err := reader.Run(context.WithoutCancel(t.Context()), Query{SQL: sql}, FullAccess, discard{}); err != nil {
					t.Error(err)
				}
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
				}
			}
		}
	})
	followers := []*follower{follow(t, db)}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
			followers[rand.IntN(len(followers))].pull()
			if len(followers) < 8 && rand.IntN(20) == 0 {
				followers = append(followers, follow(t, db))
			}
		}
	}
	close(stop)
	reading.Wait()
	t.Logf("%d generations, %d followers", db.Generation(), len(followers))
	if db.Generation() < 5 {
		t.Error("too few checkpoints")
	}
	c := newConn(t, db)
	tab, _ := mustRun(t, c, "SELECT count(*), sum(length(b)) FROM t")
	want := fmt.Sprintf("%d |%d |", writers*each, tab.rows[0][1].Int)
	for i, f := range followers {
		f.sync()
		if got := f.rows("SELECT count(*), sum(length(b)) FROM t"); got != want {
			t.Errorf("follower %d: %q, want %q", i, got, want)
		}
	}
}

// openFile opens a database that the test closes, and a connection to it.
func openFile(t *testing.T, path string, checkpointFrames int) (*DB, *Conn) {
	t.Helper()
	db, err := Open(Options{Path: path, CheckpointFrames: checkpointFrames})
	if err != nil {
		t.Fatal(err)
	}
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return db, c
}

// A reopened database continues in its generation.
func TestGenerationsOutliveTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.db")
	db, c := openFile(t, path, 5)
	mustRun(t, c, "CREATE TABLE t (a INTEGER PRIMARY KEY)")
	f := follow(t, db)
	for i := range 40 {
		for range i % 5 {
			mustRun(t, c, "INSERT INTO t DEFAULT VALUES")
		}
		if i%3 == 0 {
			f.sync()
		}
		generation := db.Generation()
		c.Close()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db, c = openFile(t, path, 5)
		f.db = db
		if db.Generation() != generation {
			t.Fatalf("generation %d became %d", generation, db.Generation())
		}
	}
	f.sync()
	if got := f.rows("SELECT count(*), max(a) FROM t"); got != "80 |80 |" {
		t.Errorf("rows = %q", got)
	}
	c.Close()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+"-generations", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Path: path}); err == nil {
		t.Error("damaged generations were accepted")
	}
}
