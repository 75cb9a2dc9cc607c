package gateway

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/text"
	"github.com/zen-auth/zen/internal/transport"
)

// pullUpdates is where clients of Turso Sync pull. They push statements, as others do.
const pullUpdates = "/pull-updates"

// pollField is long_poll_timeout_ms of PullUpdatesReqProtoBody in tursodatabase/turso.
const pollField = 4

var (
	// errLeaving ends a poll that has nothing to tell yet when the gateway closes.
	errLeaving = &provider.Error{
		Kind: provider.ErrUnavailable, Message: "this gateway is closing, and nothing new has come so far", Hint: "pull again",
	}
	// errNoUpdates is what a client of Turso Sync gets from a libsql-server on its own.
	errNoUpdates = &provider.Error{
		Kind: provider.ErrConfig, Message: "the database has no Turso Sync: it doesn't know " + pullUpdates,
		Hint: "libsql-server by itself doesn't serve it: use a client that sends statements",
	}
)

// poll prepares for a long poll, if the request is one: its answer begins when there is
// news, or its time is up. It returns what makes the body again for another try, which
// then asks for the rest of the time.
func (h *Handler) poll(x *exchange, body []byte) (again func() (io.ReadCloser, error)) {
	same := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	at, size, millis := findPoll(body)
	if millis == 0 {
		return same
	}
	x.poll = time.Duration(millis) * time.Millisecond
	x.ctx = transport.WithPatience(x.ctx, x.poll)
	x.begun = context.AfterFunc(h.leaving, func() { x.cancel(errLeaving) })
	return func() (io.ReadCloser, error) {
		left := max(0, x.poll-time.Since(x.began)+time.Millisecond-1)
		rest := bytes.Clone(body)
		putVarint(rest[at:at+size], min(uint64(millis), uint64(left.Milliseconds())))
		return io.NopCloser(bytes.NewReader(rest)), nil
	}
}

// findPoll finds how long a request waits, in milliseconds, and where that is in the
// message. What is no such message is the database's to refuse.
func findPoll(b []byte) (at, size int, millis uint32) {
	for rest := b; len(rest) > 0; {
		number, kind, n := protowire.ConsumeTag(rest)
		if n < 0 {
			return 0, 0, 0
		}
		rest = rest[n:]
		if n = protowire.ConsumeFieldValue(number, kind, rest); n < 0 {
			return 0, 0, 0
		}
		if number == pollField && kind == protowire.VarintType {
			value, _ := protowire.ConsumeVarint(rest)
			at, size, millis = len(b)-len(rest), n, uint32(value) // of several the last one counts
		}
		rest = rest[n:]
	}
	return at, size, millis
}

// putVarint fills b with a number that is no larger than the one that was there: as many
// bytes, so that the message keeps its length.
func putVarint(b []byte, value uint64) {
	for i := range b {
		b[i] = byte(value) | 0x80
		value >>= 7
	}
	b[len(b)-1] &= 0x7f
}

// checkUpdates has an answer with pages go on in chunks. A client that reads until nothing
// comes (pyturso) takes one with a length that was cut off between two pages for whole.
func checkUpdates(resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusOK:
		resp.ContentLength = -1
		resp.Header.Del("Content-Length")
	case http.StatusNotFound:
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err == nil && text.Reason(body, 100) == "" {
			return errNoUpdates // a database that isn't there is told in words
		}
		if err != nil {
			return err
		}
		replay(resp, body)
	}
	return nil
}
