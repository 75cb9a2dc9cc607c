package engine

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"

	"github.com/zen-auth/zen/internal/private"
)

// ErrNoGeneration is returned for a generation, or a position in it, that never existed:
// the replica belongs to another database.
var ErrNoGeneration = errors.New("no such generation")

// generations is a database as the sync protocol sees it: a file, and the frames
// that were committed since. When the frames were copied into the file, a
// checkpoint, that generation ends and the next begins.
//
// Frames of a generation that ended are not kept. A replica that is still in it gets, as
// the rest of it, one commit with all pages written since its start, as they are in the
// file: it then has the state at the start of the newest generation. So no replica is
// ever too old, and only the number of generations grows.
type generations struct {
	mu      sync.Mutex // guards all below, and the file against checkpoints
	log     wal
	current uint32
	begin   int // frames of the log that are of earlier generations
	ends    []uint32
	changed []uint32
	// copied is the number of frames that an incomplete checkpoint, which ended no
	// generation, may have copied into the file.
	copied int
	id     string // of the database: another one with its name has a different one
	save   string // file that outlives the process; "" for none

	tried  atomic.Int64 // length of the log when a checkpoint was last tried
	trying atomic.Bool
}

// generationsFile is the file that keeps them between two runs.
type generationsFile struct {
	ID      string   `json:"id"`
	Current uint32   `json:"current"`
	Salt    []byte   `json:"salt"` // of the log that Begin counts in
	Begin   int      `json:"begin"`
	Ends    []uint32 `json:"ends"`    // frames of each generation that ended, from 1 on
	Changed []uint32 `json:"changed"` // for each page, the last generation that wrote it
}

func (g *generations) open(path string, temporary bool) error {
	g.log.path, g.current, g.id = path+"-wal", 1, rand.Text()
	if temporary {
		return nil
	}
	g.save = path + "-generations"
	b, err := os.ReadFile(g.save)
	if errors.Is(err, fs.ErrNotExist) {
		return g.keep()
	}
	if err != nil {
		return err
	}
	var f generationsFile
	if err := json.Unmarshal(b, &f); err != nil || f.Current == 0 || len(f.Ends) != int(f.Current-1) || len(f.Salt) != 8 {
		return fmt.Errorf("%s is damaged", g.save)
	}
	g.current, g.begin, g.ends, g.changed = f.Current, f.Begin, f.Ends, f.Changed
	g.log.salt = [8]byte(f.Salt)
	if err := g.resume(); err != nil || f.ID == "" { // an older stack's
		return errors.Join(err, g.keep())
	}
	g.id = f.ID
	return nil
}

// resume finds where in the log an earlier process stopped.
func (g *generations) resume() error {
	salt := g.log.salt
	g.log.salt = [8]byte{}
	if _, err := g.log.scan(); err != nil {
		return err
	}
	if g.log.salt != salt || g.begin > len(g.log.pages) {
		g.begin = 0 // another log, which is entirely new
	}
	g.copied = len(g.log.pages) // as far as is known
	return nil
}

// scan reads on in the log. The log begins anew only after a checkpoint of all of
// it, so that every generation has ended by then.
func (g *generations) scan() error {
	restarted, err := g.log.scan()
	if restarted {
		g.begin, g.copied = 0, 0
	}
	return err
}

// end ends the current generation, whose frames are in the file now.
func (g *generations) end() error {
	pages := g.log.pages[g.begin:]
	for _, p := range pages {
		for len(g.changed) < int(p) {
			g.changed = append(g.changed, 0)
		}
		g.changed[p-1] = g.current
	}
	g.ends = append(g.ends, uint32(len(pages)))
	g.current++
	g.begin = len(g.log.pages)
	if g.save == "" {
		return nil
	}
	return g.keep()
}

// keep saves what the next run needs.
func (g *generations) keep() error {
	b, err := json.Marshal(generationsFile{g.id, g.current, g.log.salt[:], g.begin, g.ends, g.changed})
	if err != nil {
		return err
	}
	return private.Replace(g.save, b, 0o600)
}

// Generation returns the number of the current generation, counted from 1.
func (db *DB) Generation() uint32 {
	db.gens.mu.Lock()
	defer db.gens.mu.Unlock()
	return db.gens.current
}

// Export writes the database as it was when the current generation began. Asked
// for an earlier one, it writes the same: the rest of that one leads to it.
func (db *DB) Export(generation uint32) (_ io.ReadCloser, err error) {
	if err := db.enter(); err != nil {
		return nil, err
	}
	defer db.out.Done()
	db.gens.mu.Lock()
	defer db.gens.mu.Unlock()
	if generation == 0 || generation > db.gens.current {
		return nil, ErrNoGeneration
	}
	in, err := os.Open(db.path)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	defer in.Close()
	// It is a copy, since a slow client must not delay checkpoints.
	out, err := os.CreateTemp("", "devstack-export-")
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	e := &export{out}
	if _, err = io.Copy(out, in); err == nil {
		_, err = out.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("export: %w", err), e.Close())
	}
	return e, nil
}

// export is a file that is removed when it is closed.
type export struct{ *os.File }

func (e *export) Close() error { return errors.Join(e.File.Close(), os.Remove(e.Name())) }

// Frames returns frames of a generation from number from on, counted from 1, up to
// but not including to; of an earlier generation it returns all that are left.
// None means that the generation has no more: a replica then goes on with the next
// one, unless it is in current already.
func (db *DB) Frames(generation, from, to uint32) (frames []byte, current uint32, err error) {
	if err := db.enter(); err != nil {
		return nil, 0, err
	}
	defer db.out.Done()
	g := &db.gens
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		if err := g.scan(); err != nil {
			return nil, 0, err
		}
		if generation == 0 || from == 0 || generation > g.current {
			return nil, g.current, ErrNoGeneration
		}
		if generation < g.current {
			frames, err = g.rest(db.path, generation, from)
			return frames, g.current, err
		}
		n := uint32(len(g.log.pages) - g.begin)
		if from > n+1 {
			return nil, g.current, ErrNoGeneration
		}
		if from > n || from >= to {
			return nil, g.current, nil
		}
		frames, ok, err := g.log.frames(g.begin+int(from-1), g.begin+int(min(to-1, n)))
		if ok || err != nil {
			return frames, g.current, err
		}
	}
}

// rest makes the frames from number from on of a generation that ended.
func (g *generations) rest(path string, generation, from uint32) ([]byte, error) {
	end := g.ends[generation-1]
	if from > end {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := uint32(info.Size() / pageSize)
	var pages []uint32
	for i, last := range g.changed {
		if last >= generation && uint32(i) < size {
			pages = append(pages, uint32(i)+1)
		}
	}
	// The replica has to reach the generation's end, or it would ask for more.
	for len(pages) == 0 || len(pages) < int(end-from)+1 {
		pages = append(pages, 1)
	}
	b := make([]byte, len(pages)*FrameSize)
	for i, p := range pages {
		frame := b[i*FrameSize : (i+1)*FrameSize]
		binary.BigEndian.PutUint32(frame, p)
		if _, err := f.ReadAt(frame[frameHeaderSize:], int64(p-1)*pageSize); err != nil {
			return nil, err
		}
	}
	binary.BigEndian.PutUint32(b[len(b)-FrameSize+4:], size) // one commit
	return b, nil
}
