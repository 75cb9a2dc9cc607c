package dbsync

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/zen-auth/zen/devstack/engine"
	"github.com/zen-auth/zen/devstack/hrana"
)

const (
	maxPush = 64 << 20    // bytes of a transaction
	pushTTL = time.Minute // for the rest of one to come
)

// pushes are partly received transactions: one for each database, since two replicas that
// push at once conflict anyway.
type pushes struct {
	mu      sync.Mutex // guards waiting
	waiting map[string]*pending
}

type pending struct {
	baton             string
	generation, start uint32
	frames            []byte
	expire            *time.Timer
}

// take returns the partial transaction that the request continues, and removes it.
func (p *pushes) take(database string, at position) (*pending, bool) {
	if at.baton == "" {
		return &pending{generation: at.generation, start: at.start}, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.waiting[database]
	if w == nil || w.baton != at.baton || w.generation != at.generation || w.end() != at.start {
		return nil, false
	}
	w.expire.Stop()
	delete(p.waiting, database)
	return w, true
}

func (p *pushes) keep(database string, w *pending) (baton string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting == nil {
		p.waiting = make(map[string]*pending)
	}
	if old := p.waiting[database]; old != nil {
		old.expire.Stop()
	}
	w.baton = rand.Text()
	w.expire = time.AfterFunc(pushTTL, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.waiting[database] == w {
			delete(p.waiting, database)
		}
	})
	p.waiting[database] = w
	return w.baton
}

func (w *pending) end() uint32 { return w.start + uint32(len(w.frames)/engine.FrameSize) }

// pushResult is the response to a push. The client continues after Last.
type pushResult struct {
	Status     string  `json:"status"`
	Generation uint32  `json:"generation"`
	Last       uint32  `json:"max_frame_no"`
	Baton      *string `json:"baton"`
}

func (s *Server) push(w http.ResponseWriter, r *http.Request, database string, db *engine.DB, path string) error {
	at, err := parsePosition(path)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPush))
	if err != nil {
		return &hrana.StatusError{Status: http.StatusRequestEntityTooLarge, Origin: "*", Body: errorBody{"request body is too large"}}
	}
	if len(body) != int(at.end-at.start)*engine.FrameSize {
		return badRequest("%d bytes are not %d frames of %d", len(body), at.end-at.start, engine.FrameSize)
	}
	p, ok := s.pushes.take(database, at)
	if !ok {
		return badRequest("invalid baton")
	}
	if p.frames = append(p.frames, body...); len(p.frames) > maxPush {
		return &hrana.StatusError{Status: http.StatusRequestEntityTooLarge, Origin: "*", Body: errorBody{"transaction is too large"}}
	}
	db.CountSynced(int64(len(body)))
	result := pushResult{Status: "ok", Generation: at.generation, Last: at.end - 1}
	if commit := p.frames[len(p.frames)-engine.FrameSize+4:]; binary.BigEndian.Uint32(commit) == 0 {
		baton := s.pushes.keep(database, p)
		result.Baton = &baton
		answer(w, http.StatusOK, result)
		return nil
	}
	result.Last, err = db.Push(r.Context(), p.generation, p.start, p.frames)
	switch {
	case errors.Is(err, engine.ErrConflict):
		result.Status = "conflict"
	case err != nil:
		return asStatus(err, p.generation)
	}
	answer(w, http.StatusOK, result)
	return nil
}
