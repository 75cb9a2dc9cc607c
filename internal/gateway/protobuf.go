package gateway

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"

	"google.golang.org/protobuf/encoding/protowire"
)

// baseURLField is the number of base_url in the answers to a pipeline and a cursor
// (libsql-hrana/src/proto.rs).
const baseURLField = 2

// rebasedProtobuf passes a Hrana answer in Protobuf through, with every base_url of its
// message replaced, or of a cursor's first one. It is read as it comes, and of other
// fields no more is looked at than how long they are.
type rebasedProtobuf struct {
	from   *bufio.Reader
	closer io.Closer
	follow func(base string) (string, error)
	cursor bool // what comes are messages, each after its length

	ready []byte // to be read
	left  uint64 // of a field, to be passed on after that
	rest  bool   // all that is left is
	seen  protowire.Number
	err   error
}

// peek reads the beginning, so that what is wrong with a base_url can still be told with
// a status.
func (r *rebasedProtobuf) peek() error {
	for r.err == nil && !r.rest && r.left == 0 && r.seen <= baseURLField {
		r.fill()
	}
	if r.err != nil && r.err != io.EOF {
		return r.err
	}
	return nil
}

func (r *rebasedProtobuf) whole(int64) ([]byte, error) { return io.ReadAll(r) }

// Read implements io.Reader.
func (r *rebasedProtobuf) Read(p []byte) (int, error) {
	for len(r.ready) == 0 {
		switch {
		case r.rest:
			return r.from.Read(p)
		case r.left > 0:
			n, err := r.from.Read(p[:min(uint64(len(p)), r.left)])
			if r.left -= uint64(n); err == io.EOF && r.left > 0 {
				err = io.ErrUnexpectedEOF
			}
			return n, err
		case r.err != nil:
			return 0, r.err
		}
		r.fill()
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}

// fill makes the beginning of the next field ready, or the first message of a cursor.
func (r *rebasedProtobuf) fill() {
	if r.cursor {
		r.rest = true
		if _, err := r.from.Peek(1); err != nil {
			r.fail(err)
			return
		}
		head, err := r.bytes(maxAnswer)
		if err == nil {
			inner := &rebasedProtobuf{from: bufio.NewReader(bytes.NewReader(head)), follow: r.follow}
			if head, err = io.ReadAll(inner); err == nil {
				r.ready = protowire.AppendBytes(r.ready, head)
			}
		}
		r.fail(err)
		return
	}
	tag, err := binary.ReadUvarint(r.from)
	if err != nil {
		r.fail(err)
		return
	}
	number, kind := protowire.DecodeTag(tag)
	r.seen = number
	if number == baseURLField {
		if kind != protowire.BytesType {
			r.fail(errors.New("the database's base_url is not text"))
			return
		}
		base, err := r.bytes(maxBaseURL)
		if err == nil && len(base) > 0 {
			var followed string
			followed, err = r.follow(string(base))
			base = []byte(followed)
		}
		r.fail(err)
		if err == nil {
			r.ready = protowire.AppendBytes(protowire.AppendVarint(r.ready, tag), base)
		}
		return
	}
	r.ready = protowire.AppendVarint(r.ready, tag)
	switch kind {
	case protowire.BytesType, protowire.VarintType:
		n, err := r.number()
		if r.ready = protowire.AppendVarint(r.ready, n); kind == protowire.BytesType {
			r.left = n
		}
		r.fail(err)
	case protowire.Fixed32Type:
		r.left = 4
	case protowire.Fixed64Type:
		r.left = 8
	default:
		r.fail(errors.New("the database's answer is no Protobuf"))
	}
}

// bytes reads a length, and so many bytes.
func (r *rebasedProtobuf) bytes(most uint64) ([]byte, error) {
	n, err := r.number()
	if err == nil && n > most {
		err = errors.New("the database's base_url is too long")
	}
	if err != nil {
		return nil, err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r.from, b)
	return b, whole(err)
}

// number reads one that has to be there.
func (r *rebasedProtobuf) number() (uint64, error) {
	n, err := binary.ReadUvarint(r.from)
	return n, whole(err)
}

// whole makes an error of an end in the middle.
func whole(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// fail keeps the first error. Nothing of what is wrong is passed on.
func (r *rebasedProtobuf) fail(err error) {
	if err != nil && r.err == nil {
		r.err, r.left, r.rest = err, 0, false
		if err != io.EOF {
			r.ready = nil
		}
	}
}

// Close implements io.Closer.
func (r *rebasedProtobuf) Close() error { return r.closer.Close() }

// rebaseProtobuf replaces a base_url in an answer.
func (h *Handler) rebaseProtobuf(x *exchange, resp *http.Response) error {
	if encoding := resp.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return fmt.Errorf("the database encodes its answer as %s, unasked", short(encoding))
	}
	body := &rebasedProtobuf{
		from: bufio.NewReaderSize(resp.Body, bufferSize), closer: resp.Body, cursor: x.route.name == "cursor",
		follow: func(base string) (string, error) { return h.follow(x, base) },
	}
	return passOn(resp, body)
}
