package dbsync

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/zen-auth/zen/devstack/engine"
	"github.com/zen-auth/zen/devstack/hrana"
)

// UpdatesPath is the path for pulls of Turso Sync: `POST /pull-updates`.
const UpdatesPath = "/pull-updates"

const (
	// maxUpdatesRequest is the largest request, most of which is a bitmap of pages: 8 KiB
	// for each 256 MiB of the database at most.
	maxUpdatesRequest = 4 << 20
	// maxPoll is the longest wait of a poll. The client then polls again.
	maxPoll = 10 * time.Minute
)

// updatesRequest is PullUpdatesReqProtoBody of sync/engine/src/server_proto.rs in
// tursodatabase/turso. The fields that the reference server ignores, client_pages and
// server_query_selector, are left out.
type updatesRequest struct {
	zstd     bool
	at       string // server_revision
	since    string // client_revision
	poll     time.Duration
	selector []byte // server_pages_selector
	logical  bool   // wants the log of a database in MVCC mode
}

// parseUpdates reads a request. Fields that it doesn't know are skipped, as in all of
// Protobuf.
func parseUpdates(b []byte) (r updatesRequest, err error) {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return r, protowire.ParseError(n)
		}
		b = b[n:]
		var value uint64
		var bytes []byte
		switch kind {
		case protowire.VarintType:
			value, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return r, protowire.ParseError(n)
		}
		b = b[n:]
		if want, ok := updatesFields[number]; ok && want != kind {
			return r, errors.New("a field has another type")
		}
		switch number {
		case 1:
			r.zstd = value == 1
		case 2:
			r.at = string(bytes)
		case 3:
			r.since = string(bytes)
		case 4:
			r.poll = min(time.Duration(uint32(value))*time.Millisecond, maxPoll)
		case 5:
			r.selector = bytes
		case 8:
			r.logical = value == 1
		}
	}
	return r, nil
}

var updatesFields = map[protowire.Number]protowire.Type{
	1: protowire.VarintType, 2: protowire.BytesType, 3: protowire.BytesType, 4: protowire.VarintType,
	5: protowire.BytesType, 6: protowire.BytesType, 7: protowire.BytesType, 8: protowire.VarintType,
}

// What the header of an answer says, by PullUpdatesRespProtoBody's numbers.
const (
	streamLogical    = 1 // of stream_kind: the log of a database in MVCC mode
	modeReplaceBase  = 1 // of apply_mode: the pages are all that there are
	protocolPages    = 1 // of protocol: what later pulls are answered with
	protocolMVCCLogs = 2
)

// updatesHeader is the first message of an answer.
type updatesHeader struct {
	revision                   string
	size                       uint32
	streamKind, mode, protocol uint64
}

func (h updatesHeader) append(b []byte) []byte {
	var m []byte
	m = protowire.AppendTag(m, 1, protowire.BytesType)
	m = protowire.AppendString(m, h.revision)
	m = appendVarint(m, 2, uint64(h.size))
	m = protowire.AppendTag(m, 3, protowire.BytesType) // raw_encoding, which is empty
	m = protowire.AppendBytes(m, nil)
	m = appendVarint(m, 5, h.streamKind)
	m = appendVarint(m, 6, h.mode)
	m = appendVarint(m, 8, h.protocol)
	return protowire.AppendBytes(b, m)
}

// appendVarint leaves zeros out, as all writers of proto3 do.
func appendVarint(b []byte, number protowire.Number, value uint64) []byte {
	if value == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), value)
}

// appendPage appends a page, which clients count from 0.
func appendPage(b []byte, number uint32, page []byte) []byte {
	var head []byte
	head = appendVarint(head, 1, uint64(number-1))
	head = protowire.AppendTag(head, 2, protowire.BytesType)
	head = protowire.AppendVarint(head, uint64(len(page)))
	b = protowire.AppendVarint(b, uint64(len(head)+len(page)))
	return append(append(b, head...), page...)
}

// pullUpdates sends the pages that changed since the client's last pull; if there are
// none and the client wants to wait, it responds at the next commit.
func (s *Server) pullUpdates(w http.ResponseWriter, r *http.Request, db *engine.DB) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxUpdatesRequest))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return &hrana.StatusError{Status: http.StatusRequestEntityTooLarge, Origin: "*", Body: errorBody{"request body is too large"}}
	}
	if err != nil {
		return badRequest("can't read the request")
	}
	request, err := parseUpdates(body)
	if err != nil {
		return badRequest("invalid PullUpdatesRequest: %v", err)
	}
	if request.zstd {
		return badRequest("zstd encoding is not supported")
	}
	wanted, err := parseSelector(request.selector)
	if err != nil {
		return badRequest("invalid server_pages_selector: %v", err)
	}
	if request.poll > 0 && request.since != "" && request.at == "" {
		if err := s.awaitNewer(r, db, request); err != nil {
			return asRevision(err)
		}
	}
	header := updatesHeader{protocol: protocolPages}
	if request.logical {
		// Clients request it only when forced to. A database without such a log answers
		// as the reference server does: with all pages, or nothing new.
		header.protocol = protocolMVCCLogs
		newer := request.since == ""
		if !newer {
			if newer, err = db.Newer(request.since); err != nil {
				return asRevision(err)
			}
		}
		if header.streamKind = streamLogical; newer {
			header.streamKind, header.mode, request.since = 0, modeReplaceBase, ""
		}
	}
	pages, err := db.Pages(request.since, request.at, wanted)
	if err != nil {
		return asRevision(err)
	}
	defer pages.Close()
	header.revision, header.size = pages.Revision, pages.Size
	// There is no Content-Length, so that the response is chunked: a client that reads to
	// the end of the connection would mistake a response cut off between two pages for a
	// complete one.
	w.Header().Set("Content-Type", "application/protobuf")
	w.WriteHeader(http.StatusOK)
	if err := http.NewResponseController(w).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil // the client is gone
	}
	out := header.append(nil)
	if _, err = w.Write(out); err == nil {
		err = pages.Each(func(number uint32, page []byte) error {
			out = appendPage(out[:0], number, page)
			_, err := w.Write(out)
			return err
		})
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the client has to notice that it is incomplete
	}
	db.CountSynced(int64(pages.Len()) * engine.PageSize)
	return nil
}

// awaitNewer waits until there is something to pull. A timeout, or a stopping server, is
// not an error.
func (s *Server) awaitNewer(r *http.Request, db *engine.DB, request updatesRequest) error {
	ctx, cancel := context.WithTimeout(r.Context(), request.poll)
	defer cancel()
	defer context.AfterFunc(s.leaving, cancel)()
	var refused error
	if s.options.PollEnds != nil {
		if after, err := s.options.PollEnds(r); err != nil {
			if after <= request.poll {
				refused = err
				ctx, cancel = context.WithTimeout(ctx, after)
				defer cancel()
			}
		}
	}
	err := db.AwaitNewer(ctx, request.since)
	switch {
	case r.Context().Err() != nil:
		return r.Context().Err()
	case err == nil || ctx.Err() == nil:
		return err
	case refused != nil && s.leaving.Err() == nil:
		return refused
	}
	return nil
}

// asRevision returns the response for an error of a pull.
func asRevision(err error) error {
	if errors.Is(err, engine.ErrNoRevision) {
		return missing("the revision is of another database, or its pages are no longer kept: remove the local files and pull all again")
	}
	return err
}
