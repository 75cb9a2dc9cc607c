package traffic

import (
	"bufio"
	"bytes"
	"cmp"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxBody limits how much of an answer is read, in bytes.
const maxBody = 64 << 10

// Record returns a handler that serves as next does and records its requests. service
// names the service that a request is for.
func (r *Recorder) Record(next http.Handler, service func(*http.Request) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		start := time.Now()
		// Handlers may rewrite the URL of the request that they get.
		entry := Request{
			Time: r.now(), Method: short(req.Method), Path: short(req.URL.Path), Query: names(req.URL.RawQuery),
			Service: service(req), Who: r.callers.of(req.Header.Get("Authorization")),
		}
		database := strings.HasPrefix(req.URL.Path, "/dbs/")
		seen := &watcher{ResponseWriter: w, body: buffers.Get().(*bytes.Buffer)}
		served := false
		defer func() {
			entry.Duration, entry.Status = time.Since(start), seen.status
			// A handler that panics, as with http.ErrAbortHandler, loses the connection.
			entry.Verdict, entry.Reason = seen.verdict(!served || seen.hijacked)
			entry.Ignored = seen.ignored
			r.add(entry)
			if !database && entry.Verdict == Answered {
				r.issued(entry, seen)
			}
			seen.body.Reset()
			buffers.Put(seen.body)
		}()
		next.ServeHTTP(seen, req)
		served = true
		if seen.status == 0 && !seen.hijacked {
			seen.status = http.StatusOK // what net/http sends for a handler that wrote nothing
		}
	})
}

// issued remembers the tokens in an answer. Responses of databases are skipped: a token
// in a row was not issued here.
func (r *Recorder) issued(entry Request, seen *watcher) {
	texts := [][]byte{seen.body.Bytes()}
	for _, name := range []string{"Authorization", "Location"} {
		texts = append(texts, []byte(seen.Header().Get(name)))
	}
	for _, text := range texts {
		for _, raw := range jwtPattern.FindAll(text, 16) {
			if jwt, ok := inspect(string(raw)); ok {
				r.addToken(raw, Token{Time: entry.Time, Service: entry.Service, Path: entry.Path, JWT: jwt})
			}
		}
	}
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// watcher passes a response on, and copies its start.
type watcher struct {
	http.ResponseWriter
	status   int
	hijacked bool
	ignored  string
	body     *bytes.Buffer
}

// Ignore records the ignored parameters of a request.
func Ignore(w http.ResponseWriter, names []string) {
	for {
		if seen, ok := w.(*watcher); ok {
			seen.ignored = short(strings.Join(names, ", "))
			return
		}
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return // not recorded
		}
		w = wrapper.Unwrap()
	}
}

func (w *watcher) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watcher) Write(p []byte) (int, error) {
	w.status = cmp.Or(w.status, http.StatusOK)
	if room := maxBody - w.body.Len(); room > 0 {
		w.body.Write(p[:min(len(p), room)])
	}
	return w.ResponseWriter.Write(p)
}

// Hijack implements http.Hijacker.
func (w *watcher) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.hijacked = err == nil
	return conn, buffered, err
}

// Unwrap lets http.ResponseController flush and set deadlines.
func (w *watcher) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *watcher) verdict(cut bool) (Verdict, string) {
	switch {
	case cut:
		return Cut, "the connection was cut"
	case w.status >= 500:
		return Failed, reason(w.body.Bytes(), w.status)
	case w.status >= 400:
		return Refused, reason(w.body.Bytes(), w.status)
	}
	if f, ok := embedded(w.body.Bytes()); ok {
		if f.forbidden() {
			return Refused, join(f.Code, f.Message)
		}
		return Erred, join(f.Code, f.Message)
	}
	return Answered, ""
}

// names returns a query without its values.
func names(rawQuery string) string {
	if rawQuery == "" {
		return ""
	}
	query, _ := url.ParseQuery(rawQuery) // what could be parsed of it
	list := make([]string, 0, len(query))
	for name := range query {
		list = append(list, short(name)+"=…")
	}
	slices.Sort(list)
	return strings.Join(list, "&")
}

// Interface guards
var _ http.Hijacker = (*watcher)(nil)
