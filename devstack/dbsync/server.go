// Package dbsync serves the sync protocol, version 2, with which libSQL's embedded
// replicas follow a database and synced databases send what they wrote on their
// own. There is no specification; the client is libsql/src/sync.rs of
// tursodatabase/libsql.
//
//	GET  /info                                  the current generation
//	GET  /export/GENERATION                     the file that it began with
//	GET  /sync/GENERATION/START/END             frames of the log, or 400 at its end
//	POST /sync/GENERATION/START/END[/BATON]     frames of a synced database
//
// It serves the pulls of Turso Sync, too, whose reference is cli/sync_server.rs of
// tursodatabase/turso. What its clients push are statements, for package hrana.
//
//	POST /pull-updates                          pages that changed since a revision
package dbsync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/zen-auth/zen/devstack/engine"
	"github.com/zen-auth/zen/devstack/hrana"
)

// Server answers for any number of databases. It is safe for concurrent use.
type Server struct {
	backend hrana.Backend
	options Options
	pushes  pushes
	leaving context.Context // done when waiting polls have to be answered
	leave   context.CancelFunc
}

// Options change a Server's behaviour. The zero value is the default.
type Options struct {
	// If PollEnds returns an error, a waiting poll is answered with it after that time.
	// It is for a server that checks the token again.
	PollEnds func(*http.Request) (time.Duration, error)
}

// New returns a Server that uses the backend for authorization.
func New(backend hrana.Backend, o Options) *Server {
	s := &Server{backend: backend, options: o}
	s.leaving, s.leave = context.WithCancel(context.Background())
	return s
}

// Leave answers waiting polls, and from now on lets none wait: the server is about to
// stop.
func (s *Server) Leave() { s.leave() }

// Match reports whether a path, in the form for [hrana.Server.Serve], is part of the
// protocol.
func Match(path string) bool {
	return path == "/info" || path == UpdatesPath || strings.HasPrefix(path, "/export/") || strings.HasPrefix(path, "/sync/")
}

// The texts and statuses with which Turso Cloud refuses.
var (
	errBlocked = &hrana.StatusError{Status: http.StatusForbidden, Origin: "*", Body: errorBody{
		"BLOCKED: SQL write operations are forbidden (current session doesn't have write permission)"}}
	// ErrBusy is the error for a push that comes between the parts of another one.
	ErrBusy = &hrana.StatusError{Status: http.StatusServiceUnavailable, Origin: "*", Body: errorBody{
		"SQLite error: max_frame_no failed: database is locked"}}
	errNotFound = &hrana.StatusError{Status: http.StatusNotFound, Origin: "*", Body: errorBody{"not found"}}
)

type errorBody struct {
	Error string `json:"error"`
}

func badRequest(format string, a ...any) error {
	return &hrana.StatusError{Status: http.StatusBadRequest, Origin: "*", Body: errorBody{fmt.Sprintf(format, a...)}}
}

func missing(format string, a ...any) error {
	return &hrana.StatusError{Status: http.StatusNotFound, Origin: "*", Body: errorBody{fmt.Sprintf(format, a...)}}
}

// Serve answers a request for a database.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, database, path string) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if r.Method == http.MethodOptions {
		hrana.Preflight(w, r)
		return
	}
	if err := s.serve(w, r, database, path); err != nil {
		hrana.WriteError(w, err)
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, database, path string) error {
	db, rights, err := s.backend.Authorize(r, database)
	if err != nil {
		return err
	}
	if !rights.ReadsAll() {
		return hrana.ErrNotAllowed // pages hold the rows of all tables
	}
	kind, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch r.Method + " " + kind {
	case "GET info":
		answer(w, http.StatusOK, map[string]uint32{"current_generation": db.Generation()})
		return nil
	case "GET export":
		return export(w, db, rest)
	case "GET sync":
		return pull(w, db, rest)
	case "POST pull-updates":
		return s.pullUpdates(w, r, db)
	case "POST sync":
		if !rights.WritesAll() {
			return errBlocked
		}
		return s.push(w, r, database, db, rest)
	}
	return errNotFound
}

// export sends the database as it was at the start of the generation.
func export(w http.ResponseWriter, db *engine.DB, path string) error {
	generation, err := number(path)
	if err != nil {
		return err
	}
	file, err := db.Export(generation)
	if err != nil {
		return asStatus(err, generation)
	}
	defer file.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	n, _ := io.Copy(w, file) // the client is gone
	db.CountSynced(n)
	return nil
}

// maxPull bounds the frames of an answer. Clients ask for 128.
const maxPull = 1024

// pull sends frames. A replica at a position that never existed follows a deleted
// database of the same name; it gets an error, because otherwise it would never be in
// sync without noticing. If there are no frames the response names the current
// generation, with status 400, as Turso's does: the client continues with the next
// generation, or is done.
func pull(w http.ResponseWriter, db *engine.DB, path string) error {
	at, err := parsePosition(path)
	if err != nil {
		return err
	}
	if at.baton != "" {
		return errNotFound
	}
	frames, current, err := db.Frames(at.generation, at.start, min(at.end, at.start+maxPull))
	if errors.Is(err, engine.ErrNoGeneration) {
		return missing("generation %d has no frame %d", at.generation, at.start)
	}
	if err != nil {
		return asStatus(err, at.generation)
	}
	if len(frames) == 0 {
		answer(w, http.StatusBadRequest, map[string]uint32{"generation": current})
		return nil
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	n, _ := w.Write(frames) // the client is gone
	db.CountSynced(int64(n))
	return nil
}

// position is the place that a path of /sync/ names.
type position struct {
	generation, start, end uint32 // end is exclusive
	baton                  string
}

func parsePosition(path string) (p position, err error) {
	parts := strings.Split(path, "/")
	if len(parts) == 4 {
		p.baton = parts[3]
		parts = parts[:3]
	}
	if len(parts) != 3 {
		return p, errNotFound
	}
	for i, into := range []*uint32{&p.generation, &p.start, &p.end} {
		if *into, err = number(parts[i]); err != nil {
			return p, err
		}
	}
	if p.start == 0 || p.end <= p.start || p.end > 1<<31 {
		return p, badRequest("invalid range of frames: %d to %d", p.start, p.end)
	}
	return p, nil
}

func number(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, badRequest("invalid number: %q", s)
	}
	return uint32(n), nil
}

// asStatus returns the response for an error of the engine.
func asStatus(err error, generation uint32) error {
	var sqlite *engine.Error
	switch {
	case errors.Is(err, engine.ErrNoGeneration):
		return missing("generation %d not found", generation)
	case errors.Is(err, engine.ErrBadFrames):
		return badRequest("%v", err)
	case errors.As(err, &sqlite) && sqlite.Busy():
		return ErrBusy
	}
	return err
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone
}
