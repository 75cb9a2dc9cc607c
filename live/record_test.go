package live

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// exchange is a request and its response.
type exchange struct {
	question, service string
	method            string
	base              string
	url               *url.URL
	header            http.Header
	body              []byte
	// status is 0 if there was no response; err is the reason.
	status   int
	answered http.Header
	answer   []byte
	err      error
	redactor *redactor
}

// recorder is below every client of a run, and keeps all requests and responses.
type recorder struct {
	*redactor
	// sending, if set, is called with each request before it is sent.
	sending func(exchange)

	mu        sync.Mutex // guards the fields below
	question  string
	exchanges []exchange
}

// through returns the transport for the client of a service whose URLs begin with base.
func (r *recorder) through(name, base string, next http.RoundTripper) http.RoundTripper {
	return &service{r, name, base, next}
}

type service struct {
	recorder *recorder
	name     string
	base     string
	next     http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (s *service) RoundTrip(req *http.Request) (*http.Response, error) {
	r := s.recorder
	x := exchange{service: s.name, method: req.Method, base: s.base, url: req.URL, header: req.Header.Clone(), redactor: r.redactor}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		_ = req.Body.Close()
		if err != nil {
			return nil, err
		}
		x.body = body
		req = req.Clone(req.Context())
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	r.learnHeader(x.header)
	r.learn(x.header.Get("Content-Type"), x.body)
	r.mu.Lock()
	x.question = r.question
	r.mu.Unlock()
	if r.sending != nil {
		r.sending(x)
	}
	res, err := s.next.RoundTrip(req)
	if err == nil {
		x.status, x.answered = res.StatusCode, res.Header.Clone()
		x.answer, err = io.ReadAll(res.Body)
		_ = res.Body.Close()
		res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(x.answer), failing{err}))
		r.learnHeader(x.answered)
		r.learn(x.answered.Get("Content-Type"), x.answer)
		x.err, err = err, nil
	} else {
		x.err = err
	}
	r.mu.Lock()
	r.exchanges = append(r.exchanges, x)
	r.mu.Unlock()
	return res, err
}

// failing ends a replayed body with the error with which the original ended.
type failing struct{ err error }

// Read implements io.Reader.
func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

func (r *recorder) learnHeader(h http.Header) {
	for _, value := range h.Values("Authorization") {
		if scheme, rest, ok := strings.Cut(value, " "); ok && len(scheme) < 10 {
			value = rest
		}
		r.secret(value)
	}
}

// ask sets the question to which the following requests belong.
func (r *recorder) ask(question string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.question = question
}

// of returns the exchanges of a question.
func (r *recorder) of(question string) []exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.exchanges), func(x exchange) bool { return x.question != question })
}

// last returns the last exchange with a service.
func (r *recorder) last(service string) exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range slices.Backward(r.exchanges) {
		if x.service == service {
			return x
		}
	}
	return exchange{}
}

// shown are the headers that a transcript shows.
var shown = []string{
	"Authorization", "Content-Type", "Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers",
	"Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "WWW-Authenticate", "Retry-After", "Location",
}

func (x exchange) headers(h http.Header) string {
	var b strings.Builder
	for _, name := range shown {
		for _, value := range h.Values(name) {
			if u, err := url.Parse(value); err == nil && name == "Location" {
				value = address(x.redactor, u)
			}
			fmt.Fprintf(&b, "%s: %s\n", name, x.redactor.text(value))
		}
	}
	return b.String()
}

// address returns a URL without its secret values.
func address(r *redactor, u *url.URL) string {
	shown := *u
	shown.RawQuery, shown.Fragment, shown.User = "", "", nil
	text := r.text(shown.String())
	if u.RawQuery != "" {
		text += "?" + r.query(u.Query())
	}
	return text
}

// path returns the part of the URL after the service's base.
func (x exchange) path() string {
	return strings.TrimPrefix(address(x.redactor, x.url), x.redactor.text(x.base))
}

// request returns the request as shown in a transcript or a dry run.
func (x exchange) request(base string) string {
	text := x.method + " " + base + x.path() + "\n" + x.headers(x.header)
	if body := x.redactor.body(x.header.Get("Content-Type"), x.body, false); body != "" {
		text += body + "\n"
	}
	return text
}

// String returns the exchange as shown in the transcript.
func (x exchange) String() string {
	text := x.request(x.service+": ") + "\n"
	if x.err != nil {
		text += x.redactor.text(x.err.Error()) + "\n"
	}
	if x.status == 0 {
		return text
	}
	text += fmt.Sprintf("%d %s\n", x.status, http.StatusText(x.status)) + x.headers(x.answered)
	if body := x.redactor.body(x.answered.Get("Content-Type"), x.answer, x.service == "Turso API" || x.service == "Clerk Backend"); body != "" {
		text += body + "\n"
	}
	return text
}

func newRecorder() *recorder { return &recorder{redactor: newRedactor()} }
