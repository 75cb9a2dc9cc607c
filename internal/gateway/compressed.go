package gateway

import (
	"bufio"
	"errors"
	"io"
)

// recorder keeps what is read, until it is off. That it reads single bytes keeps package
// gzip from reading ahead.
type recorder struct {
	from  *bufio.Reader
	bytes []byte
	off   bool
}

// Read implements io.Reader.
func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if !r.off {
		r.bytes = append(r.bytes, p[:n]...)
	}
	return n, err
}

// ReadByte implements io.ByteReader.
func (r *recorder) ReadByte() (byte, error) {
	b, err := r.from.ReadByte()
	if err == nil && !r.off {
		r.bytes = append(r.bytes, b)
	}
	return b, err
}

// checked passes a compressed answer on as it came, after what it holds was looked at:
// body reads it through seen. A base_url that would have to be another one cuts it off.
type checked struct {
	body *rebased
	seen *recorder

	ready []byte // to be read
	// held is the input of the newest piece. Of what it means, a part may come with
	// the next piece only.
	held  []byte
	whole bool // all of it is sure
}

// Read implements io.Reader.
func (c *checked) Read(p []byte) (int, error) {
	for len(c.ready) == 0 {
		if c.whole {
			return c.seen.from.Read(p)
		}
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.ready)
	c.ready = c.ready[n:]
	return n, nil
}

// fill looks at the next piece.
func (c *checked) fill() error {
	b := c.body
	if !b.done && b.err == nil {
		b.ready = b.ready[:0]
		b.fill()
	}
	switch {
	case b.err != nil && b.err != io.EOF:
		return b.err
	case b.changed:
		return errors.New("the database's answer has a second base_url")
	}
	c.ready = append(c.ready[:0], c.held...)
	c.held = append(c.held[:0], c.seen.bytes...)
	c.seen.bytes = c.seen.bytes[:0]
	if b.done || b.err == io.EOF {
		c.ready, c.seen.off, c.whole = append(c.ready, c.held...), true, true
	}
	return nil
}
