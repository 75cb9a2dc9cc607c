package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	lib "modernc.org/sqlite/lib"
)

var (
	// ErrBadFrames is returned for invalid frames, or frames that do not end in a commit.
	ErrBadFrames = errors.New("sync: bad frames")
	// ErrConflict is returned for frames of a replica that does not know what was
	// committed since.
	ErrConflict = errors.New("sync: conflict")
)

// transaction holds what a replica committed at once.
type transaction struct {
	pages  map[uint32][]byte
	size   uint32 // of the database, in pages
	frames uint32
}

// Push commits what a replica committed by itself, which are the frames of its
// generation from number from on. It returns the last frame that the
// generation has then, as far as the replica knows: less than were pushed if there
// was a gap before them.
func (db *DB) Push(ctx context.Context, generation, from uint32, frames []byte) (last uint32, err error) {
	transactions, err := parseFrames(frames)
	if err != nil {
		return 0, err
	}
	for _, t := range transactions {
		last, err = db.pushTransaction(ctx, generation, from, t)
		if err != nil || last < from {
			return last, err
		}
		from += t.frames
	}
	return from - 1, nil
}

// pushTransaction commits a transaction with as many frames as the replica needed.
// A page that it wrote twice makes one frame here; frames that change nothing, in
// commits before, make up for it.
func (db *DB) pushTransaction(ctx context.Context, generation, from uint32, t transaction) (last uint32, err error) {
	idle := int(t.frames) - len(t.pages)
	for i := range idle + 1 {
		sql := "UPDATE sqlite_dbpage SET data = data WHERE pgno = 1"
		if i == idle {
			sql = t.sql()
		}
		if last, err = db.pushPages(ctx, generation, from+uint32(i), sql); err != nil || last < from+uint32(i) {
			return last, err
		}
	}
	return last, nil
}

// pushPages commits what sql does to the pages. It takes a connection of its own,
// since SQLite does not look at a page again that was changed under its feet.
func (db *DB) pushPages(ctx context.Context, generation, from uint32, sql string) (last uint32, err error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	c.dirty = true
	// Pages are written in a way that is forbidden to SQL.
	if err := c.configure(lib.SQLITE_DBCONFIG_DEFENSIVE, 0); err != nil {
		return 0, err
	}
	lib.Xsqlite3_set_authorizer(c.tls, c.handle, 0, 0)
	err = c.during(ctx, func() (err error) {
		if err := c.exec("BEGIN IMMEDIATE"); err != nil {
			return fmt.Errorf("push: %w", err)
		}
		defer c.rollback()
		g := &db.gens
		g.mu.Lock()
		err = g.scan()
		known := false
		last, known = g.last(generation)
		g.mu.Unlock()
		switch {
		case err != nil:
			return err
		case !known || from <= last:
			return ErrConflict
		case from > last+1:
			return nil
		}
		last = from
		return c.exec(sql + "; COMMIT")
	})
	return last, err
}

// last returns the number of the last frame, as a replica counts that has not
// noticed yet that its generation ended.
func (g *generations) last(generation uint32) (n uint32, known bool) {
	if generation == 0 || generation > g.current {
		return 0, false
	}
	for _, end := range g.ends[generation-1:] {
		n += end
	}
	return n + uint32(len(g.log.pages)-g.begin), true
}

// sql writes the pages, and cuts off what is behind the last one when it commits.
func (t transaction) sql() string {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO sqlite_dbpage (pgno, data) SELECT %d, NULL FROM pragma_page_count WHERE page_count > %d;", t.size+1, t.size)
	b.WriteString("INSERT INTO sqlite_dbpage (pgno, data) VALUES ")
	for i, p := range slices.Sorted(maps.Keys(t.pages)) {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "(%d, x'%x')", p, t.pages[p])
	}
	return b.String()
}

// header is the beginning of the first page of every database that can be pushed:
// https://sqlite.org/fileformat2.html#the_database_header.
var header = []byte("SQLite format 3\x00\x10\x00")

// parseFrames parses pushed frames. It does not retain them.
func parseFrames(b []byte) ([]transaction, error) {
	if len(b) == 0 || len(b)%FrameSize != 0 {
		return nil, fmt.Errorf("%w: %d bytes are not a multiple of %d", ErrBadFrames, len(b), FrameSize)
	}
	var all []transaction
	t := transaction{pages: make(map[uint32][]byte)}
	for ; len(b) > 0; b = b[FrameSize:] {
		p, size := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
		page := b[frameHeaderSize:FrameSize]
		if p == 0 || p > 1<<31 {
			return nil, fmt.Errorf("%w: page %d", ErrBadFrames, p)
		}
		if p == 1 {
			if !bytes.HasPrefix(page, header) {
				return nil, fmt.Errorf("%w: page 1 is not of a database with pages of %d bytes", ErrBadFrames, pageSize)
			}
			page = slices.Clone(page)
			page[18], page[19] = 2, 2 // stay in WAL mode, whatever the replica is in
		}
		t.pages[p] = page
		t.frames++
		if size == 0 {
			continue
		}
		for p := range t.pages {
			if p > size {
				return nil, fmt.Errorf("%w: page %d of %d", ErrBadFrames, p, size)
			}
		}
		t.size = size
		all = append(all, t)
		t = transaction{pages: make(map[uint32][]byte)}
	}
	if t.frames > 0 {
		return nil, fmt.Errorf("%w: the last one does not commit", ErrBadFrames)
	}
	return all, nil
}
