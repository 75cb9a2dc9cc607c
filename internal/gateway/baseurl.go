package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// maxBaseURL bounds what of an answer is held back to find a base_url that is cut.
const maxBaseURL = 8 << 10

// rebased passes a Hrana answer through, with every base_url of its first JSON object
// replaced: of two the one client takes the first and the other the last, and there are
// those that don't look at the case. An answer is read as it comes, and no more of it is
// looked at than that object's own keys; what is inside of a value that is an object or
// an array is skipped.
type rebased struct {
	from   io.ReadCloser
	follow func(base string) (string, error)

	ready   []byte // to be read
	err     error  // after that
	done    bool   // the first object is over
	seen    bool   // a base_url has come
	changed bool   // a base_url is another one now
	scan    scan   // for base_url
	value   []byte // of base_url, as far as it has come
	buf     []byte
	store   []byte // of ready, to be used again
}

// peek reads the beginning, so that what is wrong with a base_url, which usually is
// there, can still be told with a status. A cursor's first object is its first line.
func (r *rebased) peek() error {
	for !r.done && !r.seen && r.err == nil && len(r.ready)+len(r.value) < bufferSize {
		r.fill()
	}
	if r.err != nil && r.err != io.EOF {
		return r.err
	}
	return nil
}

// whole reads to the end of an answer of so many bytes.
func (r *rebased) whole(size int64) ([]byte, error) {
	r.buf = make([]byte, size+1)
	for r.err == nil {
		r.fill()
	}
	if r.err != io.EOF {
		return nil, r.err
	}
	return r.ready, nil
}

// Read implements io.Reader.
func (r *rebased) Read(p []byte) (int, error) {
	for len(r.ready) == 0 && r.err == nil {
		if r.done {
			return r.from.Read(p)
		}
		r.ready = r.store[:0]
		r.fill()
		r.store = r.ready
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	if len(r.ready) == 0 && r.err != nil {
		return n, r.err
	}
	return n, nil
}

// fill reads a piece and makes ready what of it is sure.
func (r *rebased) fill() {
	if r.buf == nil {
		r.buf = make([]byte, bufferSize)
	}
	n, err := r.from.Read(r.buf)
	r.err = err
	for rest := r.buf[:n]; len(rest) > 0; rest = rest[1:] {
		skipped := len(rest)
		if !r.done {
			skipped = r.scan.skip(rest)
		}
		r.ready = append(r.ready, rest[:skipped]...)
		if rest = rest[skipped:]; len(rest) == 0 {
			return
		}
		if err := r.step(rest[0]); err != nil {
			r.ready, r.err = nil, err
			return
		}
	}
}

// step takes the next byte of the first object. Neither a base_url that leads elsewhere
// is passed on, nor what comes after it.
func (r *rebased) step(c byte) error {
	wasValue := r.scan.inValue
	r.scan.next(c)
	switch {
	case r.scan.inValue:
		r.value = append(r.value, c)
		if len(r.value) > maxBaseURL {
			return errors.New("the database's base_url is too long")
		}
		return nil
	case wasValue:
		value, err := r.translate(r.value)
		if err != nil {
			return err
		}
		r.ready, r.value, r.seen = append(r.ready, value...), r.value[:0], true
	}
	r.ready = append(r.ready, c)
	r.done = r.scan.over
	return nil
}

// translate returns the base_url, which is a JSON value with white space around,
// as the client may see it.
func (r *rebased) translate(value []byte) ([]byte, error) {
	value = bytes.TrimSpace(value)
	if bytes.Equal(value, []byte("null")) {
		return value, nil
	}
	var base string
	if err := json.Unmarshal(value, &base); err != nil {
		return nil, errors.New("the database's base_url is not text")
	}
	if base == "" {
		return value, nil
	}
	base, err := r.follow(base)
	if err != nil {
		return nil, err
	}
	r.changed = true
	return json.Marshal(base)
}

// Close implements io.Closer.
func (r *rebased) Close() error { return r.from.Close() }

// scan follows JSON text a byte at a time, as finely as finding the value of one key in
// the outermost object needs it.
type scan struct {
	name    string // of the key
	depth   int
	quoted  bool
	escaped bool
	isKey   bool   // the string is a key of the outermost object
	after   bool   // a key's colon has come, its value has not
	key     []byte // of the outermost object, no longer than base_url can be written
	found   bool   // the key is the one
	inValue bool   // the last byte belongs to its value
	over    bool   // the outermost object has ended
}

// skip takes the bytes that p begins with and that can be neither a key of the
// outermost object nor the value that is looked for, and returns how many they are.
func (s *scan) skip(p []byte) int {
	if s.inValue || s.escaped || s.quoted && s.isKey || !s.quoted && s.depth < 2 {
		return 0
	}
	i := 0
	for i < len(p) {
		if s.quoted {
			i += textLen(p[i:])
			if i == len(p) || s.depth < 2 {
				break
			}
			s.quoted, s.escaped = p[i] == '\\', p[i] == '\\'
			if i++; s.escaped && i < len(p) {
				s.escaped = false
				i++
			}
			continue
		}
		switch p[i] {
		case '"':
			s.quoted, s.isKey = true, false
		case '{', '[':
			s.depth++
		case '}', ']':
			if s.depth == 2 {
				return i
			}
			s.depth--
		}
		i++
	}
	return i
}

// textLen returns the length up to the next quotation mark or backslash, or to the end.
func textLen(p []byte) int {
	for i, c := range p[:min(len(p), 24)] { // most texts are short
		if c == '"' || c == '\\' {
			return i
		}
	}
	if n := bytes.IndexByte(p, '"'); n >= 0 {
		p = p[:n]
	}
	if n := bytes.IndexByte(p, '\\'); n >= 0 {
		return n
	}
	return len(p)
}

func (s *scan) next(c byte) {
	if s.quoted {
		s.text(c)
		return
	}
	switch c {
	case '"':
		s.quoted = true
		if s.isKey = s.depth == 1 && !s.after; s.isKey {
			s.key = s.key[:0]
		}
	case '{', '[':
		s.depth++
	case '}', ']':
		if s.depth--; s.depth <= 0 {
			s.inValue, s.over = false, true
		}
	case ':':
		if s.depth == 1 && !s.after {
			s.after = true
			s.found = s.isKeyFound()
			return // the colon itself is passed on
		}
	case ',':
		if s.depth == 1 {
			s.after, s.found, s.inValue = false, false, false
			return
		}
	}
	s.inValue = s.found && !s.over
}

func (s *scan) text(c byte) {
	switch {
	case s.escaped:
		s.escaped = false
	case c == '\\':
		s.escaped = true
	case c == '"':
		s.quoted = false
		return
	}
	if s.isKey && len(s.key) <= 48 {
		s.key = append(s.key, c)
	}
}

// isKeyFound compares a key as the most tolerant of clients does: "base\u005furl" and
// "BASE_URL" are base_url, too.
func (s *scan) isKeyFound() bool {
	if bytes.IndexByte(s.key, '\\') < 0 {
		return strings.EqualFold(string(s.key), s.name)
	}
	var name string
	quoted := append(append([]byte{'"'}, s.key...), '"')
	return json.Unmarshal(quoted, &name) == nil && strings.EqualFold(name, s.name)
}
