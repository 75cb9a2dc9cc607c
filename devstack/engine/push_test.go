package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// frame returns a frame of the log.
func frame(page, size uint32, content []byte) []byte {
	b := make([]byte, FrameSize)
	binary.BigEndian.PutUint32(b, page)
	binary.BigEndian.PutUint32(b[4:], size)
	copy(b[frameHeaderSize:], content)
	return b
}

// The log of one database is pushed into a copy of it, and a follower of the copy sees
// the frames with the first one's numbers.
func TestPush(t *testing.T) {
	source, target := newDB(t, Options{}), newDB(t, Options{})
	c := newConn(t, source)
	var pushed uint32
	watcher := follow(t, target)
	for i, sql := range []string{
		"CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)",
		"CREATE INDEX i ON t (b)",
		"INSERT INTO t (b) VALUES (randomblob(30000))",
		"INSERT INTO t (b) VALUES ('x'), ('y'), ('z')",
		"DELETE FROM t WHERE a = 1",
		"DROP TABLE t",
		"CREATE TABLE t (a)",
		"INSERT INTO t VALUES (42)",
	} {
		mustRun(t, c, sql)
		if i%2 == 0 { // else two commits at once
			continue
		}
		frames, _, err := source.Frames(1, pushed+1, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		n := uint32(len(frames) / FrameSize)
		last, err := target.Push(t.Context(), 1, pushed+1, frames)
		if err != nil || last != pushed+n {
			t.Fatalf("%s: %d frames after %d: last %d, %v", sql, n, pushed, last, err)
		}
		pushed = last
		got, _, err := target.Frames(1, 1, 1<<20)
		if err != nil || uint32(len(got)/FrameSize) != pushed {
			t.Fatalf("%s: log of %d frames, want %d: %v", sql, len(got)/FrameSize, pushed, err)
		}
		watcher.sync()
	}
	if got := watcher.rows("SELECT a FROM t"); got != "42 |" {
		t.Errorf("rows = %q", got)
	}
	// A page was written twice in a transaction.
	page := func() []byte {
		f := follow(t, target)
		f.sync()
		return f.file[:pageSize]
	}()
	last, err := target.Push(t.Context(), 1, pushed+1, append(frame(1, 0, page), frame(1, uint32(len(watcher.file)/pageSize), page)...))
	if err != nil || last != pushed+2 {
		t.Errorf("last %d, want %d: %v", last, pushed+2, err)
	}
	pushed = last
	watcher.sync()
	if watcher.frame != pushed {
		t.Errorf("follower at %d, want %d", watcher.frame, pushed)
	}

	one := frame(1, uint32(len(watcher.file)/pageSize), page)
	if last, err := target.Push(t.Context(), 1, pushed+3, one); err != nil || last != pushed {
		t.Errorf("with a gap: last %d, %v, want %d", last, err, pushed)
	}
	if _, err := target.Push(t.Context(), 1, pushed, one); !errors.Is(err, ErrConflict) {
		t.Errorf("again: %v", err)
	}
	if _, err := target.Push(t.Context(), 2, 1, one); !errors.Is(err, ErrConflict) {
		t.Errorf("generation to come: %v", err)
	}
	for name, bad := range map[string][]byte{
		"no frames": nil, "half a frame": one[:100], "no commit": frame(1, 0, page), "page 0": frame(0, 1, page),
		"not a database": frame(1, 1, nil), "page behind the end": frame(7, 6, page),
	} {
		if _, err := target.Push(t.Context(), 1, pushed+1, bad); !errors.Is(err, ErrBadFrames) {
			t.Errorf("%s: Push = %v", name, err)
		}
	}
	// The replica's generation ends, and it keeps pushing before it notices.
	must(t, target.Checkpoint(t.Context()))
	for range 2 {
		if last, err := target.Push(t.Context(), 1, pushed+1, one); err != nil || last != pushed+1 || target.Generation() != 2 {
			t.Errorf("in generation %d: last %d, %v", target.Generation(), last, err)
		}
		pushed++
	}
	// Other clients can use the database as before.
	d := newConn(t, target)
	mustRun(t, d, "INSERT INTO t VALUES (43)")
	if tab, _ := mustRun(t, d, "SELECT count(*) FROM t"); fmt.Sprint(tab.rows[0][0].Int) != "2" {
		t.Error(tab.rows)
	}
	if _, err := d.Run(t.Context(), Query{SQL: "SELECT * FROM sqlite_dbpage"}, FullAccess, discard{}); outcomeOf(t, err) != unsupported {
		t.Errorf("pages can be read with SQL: %v", err)
	}
}

func FuzzParseFrames(f *testing.F) {
	f.Add([]byte{})
	f.Add(frame(2, 2, []byte("x")))
	f.Add(append(frame(1, 0, header), frame(1, 1, header)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := parseFrames(b)
		if err != nil {
			return
		}
		n := 0
		for _, tr := range all {
			n += int(tr.frames)
			if len(tr.pages) == 0 || len(tr.pages) > int(tr.frames) || tr.size == 0 {
				t.Errorf("%d pages in %d frames, size %d", len(tr.pages), tr.frames, tr.size)
			}
		}
		if n*FrameSize != len(b) {
			t.Errorf("%d frames in %d bytes", n, len(b))
		}
	})
}
