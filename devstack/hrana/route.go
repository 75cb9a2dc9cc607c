package hrana

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// serverVersion is what GET /version answers.
const serverVersion = "sqld 0.24.33 (devstack)"

// version is of the protocol.
type version int

// Serve answers a request for a database. The path is the part of the URL's after
// the database, starting with a slash and without double ones.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, database, path string) {
	s.running.Add(1)
	defer s.running.Done()
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	if r.Method == http.MethodOptions {
		preflight(w, r)
		return
	}
	switch r.Method + " " + path {
	case "GET /v2", "GET /v3":
		text(w, http.StatusOK, "Hello, this is HTTP API v2 (Hrana over HTTP)")
	case "GET /health":
		w.WriteHeader(http.StatusOK)
	case "GET /version":
		text(w, http.StatusOK, serverVersion)
	case "GET /dump":
		s.answer(w, s.dump(w, r, database))
	case "POST /v2/pipeline":
		s.answer(w, s.pipeline(w, r, database, 2))
	case "POST /v3/pipeline":
		s.answer(w, s.pipeline(w, r, database, 3))
	case "POST /v3/cursor":
		s.answer(w, s.cursor(w, r, database))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// dump sends the database as SQL. What goes wrong on the way cuts the answer.
func (s *Server) dump(w http.ResponseWriter, r *http.Request, database string) error {
	db, rights, err := s.backend.Authorize(r, database)
	if err != nil {
		return err
	}
	if !rights.ReadsAll() {
		return ErrNotAllowed
	}
	conn, err := db.Conn(r.Context())
	if err != nil {
		return err
	}
	defer conn.Close()
	w.Header().Set("Content-Type", "text/plain")
	if conn.Dump(r.Context(), w) != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// preflight answers a browser's CORS preflight.
func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "*")
	// A star would not cover Authorization (Fetch standard, 3.2.3), so what was
	// asked for is named.
	if headers := r.Header.Get("Access-Control-Request-Headers"); headers != "" {
		h.Set("Access-Control-Allow-Headers", headers)
	}
	w.WriteHeader(http.StatusOK)
}

// read decodes the body of a request.
func (s *Server) read(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.opts.MaxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return &StatusError{Status: http.StatusRequestEntityTooLarge, Body: errorBody{"request body is too large"}, Origin: "*"}
	}
	if err != nil {
		return &StatusError{Status: http.StatusBadRequest, Body: "Could not read request body", Origin: "*"}
	}
	if err := json.Unmarshal(body, into); err != nil {
		return protocolErrorf("Cannot deserialize client message from JSON: %v", err)
	}
	return nil
}

type errorBody struct {
	Error string `json:"error"`
}

// answer sends the error of a request, if there is one.
func (s *Server) answer(w http.ResponseWriter, err error) {
	if err != nil {
		WriteError(w, err)
	}
}

// WriteError answers with an error: as a [*StatusError] says, or with status 500.
func WriteError(w http.ResponseWriter, err error) {
	status := &StatusError{}
	if !errors.As(err, &status) {
		status = &StatusError{Status: http.StatusInternalServerError, Body: errorBody{"internal error: " + err.Error()}, Origin: "*"}
	}
	if status.Origin == "" {
		w.Header().Del("Access-Control-Allow-Origin")
	}
	if body, ok := status.Body.(string); ok {
		text(w, status.Status, body)
		return
	}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // as serde
	if err := enc.Encode(status.Body); err != nil {
		panic(err) // bodies are ours
	}
	// Exactly this: @libsql/client reads the error out of no other media type.
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status.Status)
	w.Write(bytes.TrimSpace(body.Bytes()))
}

func text(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(status)
	io.WriteString(w, body)
}
