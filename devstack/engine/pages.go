package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
)

// ErrNoRevision is returned for a revision that is not one of the database's, or whose
// pages are no longer stored.
var ErrNoRevision = errors.New("no such revision")

// revision is a committed state of the database: so many frames of a generation.
type revision struct{ generation, frame uint32 }

// before reports whether another state is newer.
func (r revision) before(other revision) bool {
	return r.generation < other.generation || r.generation == other.generation && r.frame < other.frame
}

// text is a revision in the form for clients, valid only for this database: another one
// with its name has another identity.
func (g *generations) text(r revision) string {
	return fmt.Sprintf("%s-%d-%d", g.id, r.generation, r.frame)
}

// parse reads a revision. One at the end of a generation is the beginning of the next,
// which is the same state.
func (g *generations) parse(text string) (r revision, err error) {
	parts := strings.Split(text, "-")
	if len(parts) != 3 || parts[0] != g.id {
		return r, ErrNoRevision
	}
	generation, err := strconv.ParseUint(parts[1], 10, 32)
	frame, frameErr := strconv.ParseUint(parts[2], 10, 32)
	if err != nil || frameErr != nil || generation == 0 {
		return r, ErrNoRevision
	}
	r = revision{uint32(generation), uint32(frame)}
	for r.generation < g.current && r.frame == g.ends[r.generation-1] {
		r = revision{r.generation + 1, 0}
	}
	if r.generation < g.current && r.frame > g.ends[r.generation-1] || g.newest().before(r) {
		return r, ErrNoRevision
	}
	return r, nil
}

// newest is the last state that was scanned.
func (g *generations) newest() revision {
	return revision{g.current, uint32(len(g.log.pages) - g.begin)}
}

// Newer reports whether anything was committed since a revision.
func (db *DB) Newer(since string) (bool, error) {
	if err := db.enter(); err != nil {
		return false, err
	}
	defer db.out.Done()
	g := &db.gens
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.scan(); err != nil {
		return false, err
	}
	r, err := g.parse(since)
	return r.before(g.newest()), err
}

// AwaitNewer waits until something was committed since a revision, or ctx ends.
func (db *DB) AwaitNewer(ctx context.Context, since string) error {
	for {
		committed := db.commits.next()
		if newer, err := db.Newer(since); newer || err != nil {
			return err
		}
		select {
		case <-committed:
		case <-db.closing:
			return ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Pages are pages of a database in one of its states. The caller closes them.
type Pages struct {
	// Revision is the state's name.
	Revision string
	// Size is how many pages the database has then.
	Size uint32

	numbers []uint32
	file    *export // nil if there are none
}

// Len returns how many pages there are.
func (p *Pages) Len() int { return len(p.numbers) }

// Each calls f with every page, counted from 1, until it fails. The page is only good
// until f returns.
func (p *Pages) Each(f func(number uint32, page []byte) error) error {
	var page [pageSize]byte
	for i, number := range p.numbers {
		if _, err := p.file.ReadAt(page[:], int64(i)*pageSize); err != nil {
			return fmt.Errorf("read page: %w", err)
		}
		if err := f(number, page[:]); err != nil {
			return err
		}
	}
	return nil
}

// Close frees what holds the pages.
func (p *Pages) Close() error {
	if p.file == nil {
		return nil
	}
	return p.file.Close()
}

// Pages returns the pages that were written since a revision, as they are at another,
// and more where that isn't known exactly. Without the first it returns all, without
// the second as they are now. The second has to be of the current generation: of what
// was before, pages are not kept. Where wanted is set it is asked for each page, counted
// from 1, whether that is returned.
func (db *DB) Pages(since, at string, wanted func(page uint32) bool) (*Pages, error) {
	if err := db.enter(); err != nil {
		return nil, err
	}
	defer db.out.Done()
	g := &db.gens
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.scan(); err != nil {
		return nil, err
	}
	file, err := os.Open(db.path)
	if err != nil {
		return nil, fmt.Errorf("read pages: %w", err)
	}
	defer file.Close()
	var from revision // before all
	to := g.newest()
	if since != "" {
		if from, err = g.parse(since); err != nil {
			return nil, err
		}
	}
	if at != "" {
		if to, err = g.parse(at); err != nil {
			return nil, err
		}
	}
	v, err := g.snapshot(file, to)
	if err != nil {
		return nil, err
	}
	p := &Pages{Revision: g.text(to), Size: v.size}
	for number := range v.size {
		if number++; v.writtenSince(from, number) && (wanted == nil || wanted(number)) {
			p.numbers = append(p.numbers, number)
		}
	}
	if err := p.fill(v); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// fill copies the pages, since a slow client must not delay checkpoints.
func (p *Pages) fill(v *snapshot) error {
	if len(p.numbers) == 0 {
		return nil
	}
	out, err := os.CreateTemp("", "devstack-pages-")
	if err != nil {
		return fmt.Errorf("read pages: %w", err)
	}
	p.file = &export{out}
	for _, number := range p.numbers {
		page, err := v.page(number)
		if err == nil {
			_, err = out.Write(page)
		}
		if err != nil {
			return fmt.Errorf("read pages: %w", err)
		}
	}
	return nil
}

// snapshot is the database in a state of the current generation: the file, and the frames
// that were committed up to then.
type snapshot struct {
	g     *generations
	file  *os.File
	at    revision
	size  uint32         // in pages
	frame map[uint32]int // the last one of each page, counted from 1 in the generation
	lost  map[uint32]bool
}

func (g *generations) snapshot(file *os.File, at revision) (*snapshot, error) {
	if at.generation != g.current {
		return nil, ErrNoRevision
	}
	v := &snapshot{g: g, file: file, at: at, frame: make(map[uint32]int), lost: make(map[uint32]bool)}
	for i, number := range g.log.pages[g.begin:] {
		switch {
		case i < int(at.frame):
			v.frame[number] = i + 1
		case g.begin+i < g.copied && v.frame[number] == 0:
			v.lost[number] = true // an incomplete checkpoint has copied it into the file
		}
	}
	if at.frame > 0 {
		b, ok, err := g.log.frames(g.begin+int(at.frame)-1, g.begin+int(at.frame))
		if err != nil || !ok {
			return nil, fmt.Errorf("read pages: the log ends early: %w", err)
		}
		if v.size = binary.BigEndian.Uint32(b[4:]); v.size == 0 {
			return nil, ErrNoRevision // in the middle of a transaction
		}
		return v, nil
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	v.size = uint32(info.Size() / pageSize)
	if len(v.lost) > 0 {
		return nil, ErrNoRevision // which may have made the file longer, too
	}
	return v, nil
}

// writtenSince reports whether a page may have been written after a state.
func (v *snapshot) writtenSince(from revision, number uint32) bool {
	if from.generation == v.at.generation {
		return v.frame[number] > int(from.frame)
	}
	changed := v.g.changed
	return from.generation == 0 || v.frame[number] > 0 || int(number) <= len(changed) && changed[number-1] >= from.generation
}

// page reads a page. One that was allocated and at once freed again is stored
// nowhere, and is returned empty.
func (v *snapshot) page(number uint32) ([]byte, error) {
	if v.lost[number] {
		return nil, ErrNoRevision
	}
	if n := v.frame[number]; n > 0 {
		b, ok, err := v.g.log.frames(v.g.begin+n-1, v.g.begin+n)
		if err == nil && !ok {
			err = errors.New("the log has begun anew")
		}
		if err != nil {
			return nil, err
		}
		return b[frameHeaderSize:], nil
	}
	page := make([]byte, pageSize)
	_, err := v.file.ReadAt(page, int64(number-1)*pageSize)
	if err == io.EOF {
		clear(page)
		err = nil
	}
	return page, err
}

// broadcast wakes all goroutines that wait for the next event.
type broadcast struct {
	mu sync.Mutex    // guards ch
	ch chan struct{} // nil while nothing waits
}

// next returns a channel that the next event closes.
func (b *broadcast) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

func (b *broadcast) send() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}
