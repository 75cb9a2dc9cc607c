package hrana

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
)

// serverVersion is the answer to GET /version.
const serverVersion = "sqld 0.24.33 (devstack)"

// version is of the protocol.
type version int

// Serve answers a request for a database. The path is the part of the URL's after
// the database, starting with a slash and without double ones.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, database, path string) {
	s.running.Add(1)
	defer s.running.Done()
	methods, ok := routes[path]
	if dev := strings.HasPrefix(path, "/dev/"); !ok && !dev {
		w.WriteHeader(http.StatusNotFound)
		return
	} else if dev {
		methods, path = "POST", devPath(path, &database)
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	if r.Method == http.MethodOptions {
		h.Set("Allow", methods)
		Preflight(w, r)
		return
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if !slices.Contains(strings.Split(methods, ","), method) {
		h.Set("Allow", methods)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	if err := s.serve(w, r, database, method+" "+path); err != nil {
		WriteError(w, err)
	}
}

const (
	gets  = "GET,HEAD"
	posts = "POST"
)

// routes has the methods of every path of libsql-server.
var routes = map[string]string{
	"/": gets + "," + posts, "/version": gets, "/console": gets, "/health": gets, "/dump": gets, "/beta/listen": gets,
	"/v1": gets, "/v1/execute": posts, "/v1/batch": posts, "/v1/jobs": gets,
	"/v2": gets, "/v2/pipeline": posts,
	"/v3": gets, "/v3/pipeline": posts, "/v3/cursor": posts,
	"/v3-protobuf": gets, "/v3-protobuf/pipeline": posts, "/v3-protobuf/cursor": posts,
}

// Match reports whether a path, as [Server.Serve] takes it, is one of libsql-server's
// but /.
func Match(path string) bool {
	_, ok := routes[path]
	return ok && path != "/"
}

// devPath takes apart the path by which a database can be named, /dev/NAME/vN/pipeline,
// as `turso dev` has it.
func devPath(path string, database *string) string {
	parts := strings.Split(path, "/")
	if len(parts) != 5 || parts[4] != "pipeline" || !strings.HasPrefix(parts[3], "v") {
		return ""
	}
	*database = parts[2]
	return "/" + parts[3] + "/pipeline"
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, database, route string) error {
	switch route {
	case "GET /v2", "GET /v3", "GET /v3-protobuf":
		text(w, http.StatusOK, "Hello, this is HTTP API v2 (Hrana over HTTP)")
	case "GET /v1":
		text(w, http.StatusOK, "This is sqld HTTP API v1")
	case "GET /health":
		w.WriteHeader(http.StatusOK)
	case "GET /version":
		text(w, http.StatusOK, serverVersion)
	case "GET /dump":
		return s.dump(w, r, database)
	case "POST /v1/execute":
		return s.execute1(w, r, database)
	case "POST /v1/batch":
		return s.batch1(w, r, database)
	case "POST /v2/pipeline":
		return s.pipeline(w, r, database, 2, false)
	case "POST /v3/pipeline":
		return s.pipeline(w, r, database, 3, false)
	case "POST /v3/cursor":
		return s.cursor(w, r, database, false)
	case "POST /v3-protobuf/pipeline":
		return asProtobuf(w, s.pipeline(w, r, database, 3, true))
	case "POST /v3-protobuf/cursor":
		return asProtobuf(w, s.cursor(w, r, database, true))
	case "POST /":
		return s.queries(w, r, database)
	case "GET /beta/listen":
		return lacking("/beta/listen")
	case "GET /v1/jobs":
		return lacking("schema migrations")
	case "GET /":
		if isSocket(r) {
			return s.socket(w, r, database)
		}
		w.WriteHeader(http.StatusNotFound)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	return nil
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

// Preflight answers a browser's CORS preflight.
func Preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "*")
	// A star would not cover Authorization (Fetch standard, 3.2.3), so what was
	// asked for is named.
	if headers := r.Header.Get("Access-Control-Request-Headers"); headers != "" {
		h.Set("Access-Control-Allow-Headers", headers)
	}
	w.WriteHeader(http.StatusOK)
}

// message is a client's message.
type message interface{ decode(*decoder) error }

// read decodes the body of a request. Where a form is given, it is in Protobuf.
func (s *Server) read(w http.ResponseWriter, r *http.Request, into message, protobuf *form) error {
	body, err := s.body(w, r)
	if err != nil {
		return err
	}
	return decode(body, into, protobuf)
}

// decode reads a message.
func decode(b []byte, into message, protobuf *form) (err error) {
	if protobuf != nil {
		if b, err = protobuf.toJSON(nil, b, 0); err != nil {
			if u := (unknown{}); errors.As(err, &u) {
				return protocolErrorf("%v", u)
			}
			return protocolErrorf("Could not decode client message from Protobuf: failed to decode Protobuf message: %v", err)
		}
	}
	d := &decoder{b: b}
	if err = into.decode(d); err == nil {
		err = d.end()
	}
	if err != nil {
		return protocolErrorf("Cannot deserialize client message from JSON: %v", d.placed(err))
	}
	return nil
}

// asProtobuf answers with an error that has a code in Protobuf, and leaves others to be
// answered as usual.
func asProtobuf(w http.ResponseWriter, err error) error {
	status := (*StatusError)(nil)
	if !errors.As(err, &status) || status != ErrStreamExpired {
		return err
	}
	body, _ := json.Marshal(status.Body) // of ours
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.WriteHeader(status.Status)
	w.Write(errorForm.fromJSON(nil, body))
	return nil
}

func (s *Server) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var body bytes.Buffer
	if n := r.ContentLength; n > 0 && n <= maxPooled {
		body.Grow(int(n) + bytes.MinRead)
	}
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, s.opts.MaxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, &StatusError{Status: http.StatusRequestEntityTooLarge, Body: errorBody{"request body is too large"}, Origin: "*"}
	}
	if err != nil {
		return nil, internal("Could not read request body")
	}
	return body.Bytes(), nil
}

type errorBody struct {
	Error string `json:"error"`
}

// WriteError answers with an error: as a [*StatusError] says, or with status 500.
func WriteError(w http.ResponseWriter, err error) {
	status := &StatusError{}
	if !errors.As(err, &status) {
		errors.As(internal(err.Error()), &status)
	}
	if status.Origin == "" {
		w.Header().Del("Access-Control-Allow-Origin")
	}
	if body, ok := status.Body.(string); ok {
		if body == "" {
			w.WriteHeader(status.Status)
			return
		}
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
