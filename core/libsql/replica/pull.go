//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/link"
	"github.com/zen-auth/zen/internal/private"
	"github.com/zen-auth/zen/internal/text"
	"github.com/zen-auth/zen/internal/transport"
)

// The sync protocol, version 2, which has no specification: the other client is
// libsql/src/sync.rs of tursodatabase/libsql.
//
//	GET /info                        the current generation
//	GET /export/GENERATION           the file that it began with
//	GET /sync/GENERATION/START/END   frames of the log; at its end 400, or 500, with the current generation
const (
	// pullFrames is how many frames are asked for at a time.
	pullFrames = 128
	// maxFrames bounds the answer, which goes on to the end of a transaction.
	maxFrames = 256 << 20
	// maxAnswer bounds what is read of an answer that is no data.
	maxAnswer = 64 << 10
	// defaultSilence is the remote driver's, too.
	defaultSilence = time.Minute
)

// pull brings the file up to date with the database. state is that of the files.
func (r *replica) pull(ctx context.Context, state state) (err error) {
	var at link.Progress
	if state == fresh {
		at, err = r.bootstrap(ctx)
	} else {
		at, err = r.files.metadata()
	}
	if err != nil {
		return err
	}
	if r.writer != nil && !r.writer.isOf(r.options.Path) {
		r.closeWriter()
	}
	if r.writer == nil {
		if r.writer, err = openWriter(r.options.Path); err != nil {
			return cause(err)
		}
	}
	err = r.follow(ctx, at)
	var failed *hrana.Error
	if r.writer.open || errors.As(err, &failed) {
		r.closeWriter()
	}
	return cause(err)
}

func (r *replica) closeWriter() {
	if r.writer != nil {
		r.writer.close()
	}
	r.writer = nil
}

// bootstrap fetches the file with which the current generation began.
func (r *replica) bootstrap(ctx context.Context) (link.Progress, error) {
	generation, err := r.currentGeneration(ctx)
	if err != nil {
		return link.Progress{}, err
	}
	body, err := r.get(ctx, fmt.Sprintf("/export/%d", generation))
	if err != nil {
		return link.Progress{}, err
	}
	defer body.Close()
	if err := r.files.receive(body); err != nil {
		return link.Progress{}, libsql.Explain(err)
	}
	at := link.Progress{Generation: generation}
	return at, r.files.keep(at)
}

func (r *replica) currentGeneration(ctx context.Context) (uint32, error) {
	body, err := r.get(ctx, "/info")
	var refused *answer
	if errors.As(err, &refused) && refused.status == http.StatusNotFound && refused.text == "" {
		return 0, errNoSync // a database that isn't there is told in words
	}
	if err != nil {
		return 0, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, maxAnswer))
	if err != nil {
		return 0, libsql.Explain(fmt.Errorf("read the database's answer: %w", err))
	}
	generation, ok := generationOf(data, "current_generation")
	if !ok {
		return 0, fmt.Errorf("the database doesn't speak the sync protocol of embedded replicas: it answers /info with %q", text.Reason(data, 100))
	}
	return generation, nil
}

// errNoSync is what libsql-server by itself comes to.
var errNoSync = &provider.Error{
	Kind: provider.ErrConfig, Message: "the database can't be replicated: this server has no sync V2; use remote",
	Hint: "libsql-server by itself speaks only the older protocol of embedded replicas: use the mode remote",
}

// follow writes what comes after at in the database's log, and goes on with the next
// generations. While frames are written, the next are on their way.
func (r *replica) follow(ctx context.Context, at link.Progress) error {
	ctx, cancel := context.WithCancel(ctx)
	next := r.ask(ctx, at.Generation, at.Frame+1)
	defer func() {
		cancel()
		<-next.done
		recycle(next.frames)
	}()
	for number := at.Frame + 1; ; {
		<-next.done
		switch {
		case next.err != nil:
			return next.err
		case next.generation > 0 && r.writer.open:
			return errors.New("the database's log ends in the middle of a transaction")
		case next.generation > at.Generation:
			if err := r.writer.truncate(); err != nil {
				return err
			}
			at, number = link.Progress{Generation: at.Generation + 1}, 1
			if err := r.files.keep(at); err != nil {
				return err
			}
			recycle(next.frames)
			next = r.ask(ctx, at.Generation, number)
			continue
		case next.generation > 0:
			return nil
		}
		pooled := next.frames
		frames := pooled.Bytes()
		next = r.ask(ctx, at.Generation, number+uint32(len(frames)/frameSize))
		for len(frames) > 0 {
			first, rest, ends := transaction(frames)
			if err := r.writer.insert(number, first, ends); err != nil {
				return err
			}
			number += uint32(len(first) / frameSize)
			if frames = rest; ends {
				at.Frame = number - 1
				if err := r.files.keep(at); err != nil {
					return err
				}
			}
		}
		recycle(pooled)
	}
}

// framesPool has buffers for frames, of which a long sync takes two in turns.
var framesPool = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// recycle keeps a buffer for the next answer, unless an unusual one made it large.
func recycle(b *bytes.Buffer) {
	if b.Cap() <= 4*pullFrames*frameSize {
		framesPool.Put(b)
	}
}

// asked is a request for frames. What came may be read once done is closed.
type asked struct {
	done       chan struct{}
	frames     *bytes.Buffer
	generation uint32 // the current one, where there are no more frames
	err        error
}

// ask sends a request for the frames from start on.
func (r *replica) ask(ctx context.Context, generation, start uint32) *asked {
	a := &asked{done: make(chan struct{}), frames: framesPool.Get().(*bytes.Buffer)}
	a.frames.Reset()
	go func() {
		defer close(a.done)
		a.generation, a.err = r.framesFrom(ctx, generation, start, a.frames)
	}()
	return a
}

// framesFrom reads frames into a buffer, or returns the current generation.
func (r *replica) framesFrom(ctx context.Context, generation, start uint32, into *bytes.Buffer) (uint32, error) {
	body, err := r.get(ctx, fmt.Sprintf("/sync/%d/%d/%d", generation, start, start+pullFrames))
	var refused *answer
	if errors.As(err, &refused) && (refused.status == http.StatusBadRequest || refused.status == http.StatusInternalServerError) {
		if current, ok := generationOf(refused.body, "generation"); ok {
			return current, nil
		}
	}
	if err != nil {
		return 0, err
	}
	defer body.Close()
	switch n, err := io.CopyN(into, body, maxFrames+1); {
	case err == nil:
		return 0, fmt.Errorf("the database sent more than %d MiB of WAL frames at once", maxFrames>>20)
	case err != io.EOF:
		return 0, libsql.Explain(fmt.Errorf("read the database's answer: %w", err))
	case n == 0 || n%frameSize != 0:
		return 0, fmt.Errorf("the database sent %d bytes of WAL frames, which is no whole number of them", n)
	}
	for frames := into.Bytes(); len(frames) > 0; frames = frames[frameSize:] {
		if binary.BigEndian.Uint32(frames) == 0 { // whoever reads the log next would stop there
			return 0, errors.New("the database sent a WAL frame of page 0, and pages are counted from 1")
		}
	}
	return 0, nil
}

// generationOf reads a generation out of an answer; there is none below 1.
func generationOf(body []byte, key string) (uint32, bool) {
	var fields map[string]json.RawMessage
	var n uint32
	if json.Unmarshal(body, &fields) != nil || json.Unmarshal(fields[key], &n) != nil {
		return 0, false
	}
	return n, n > 0
}

// get asks the database for what is at a path below its own. Every answer but 2xx is an
// error, an *answer where it came from the database.
func (r *replica) get(ctx context.Context, path string) (io.ReadCloser, error) {
	u := *r.link.Address
	u.Path = strings.TrimRight(u.Path, "/") + path
	u.RawPath, u.RawQuery = "", ""
	ctx, cancel := context.WithCancelCause(ctx)
	req := (&http.Request{Method: http.MethodGet, URL: &u, Header: http.Header{}}).WithContext(ctx)
	resp, err := r.link.Transport.RoundTrip(req)
	if err != nil {
		cancel(nil)
		return nil, libsql.Explain(err)
	}
	body := canceled{transport.EndSilence(ctx, cancel, resp.Body, r.silence), cancel}
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return body, nil
	}
	defer body.Close()
	if resp.StatusCode < 400 {
		return nil, fmt.Errorf("the database answers %d and leads to another address: redirects are not followed, the token must not go elsewhere", resp.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(body, maxAnswer))
	if err != nil {
		return nil, libsql.Explain(fmt.Errorf("read the database's answer: %w", err))
	}
	return nil, &answer{status: resp.StatusCode, body: data, text: text.Reason(data, 100)}
}

// answer is an error that the database answered.
type answer struct {
	status int
	body   []byte
	text   string // of body, printable
}

// Error implements error.
func (a *answer) Error() string {
	if a.text == "" {
		return fmt.Sprintf("the database answers with HTTP status %d", a.status)
	}
	return fmt.Sprintf("the database answers with HTTP status %d: %s", a.status, a.text)
}

// Unwrap is the class of the contract, where the status tells.
func (a *answer) Unwrap() error {
	switch {
	case a.status == http.StatusForbidden:
		return provider.ErrPermission
	case a.status == http.StatusTooManyRequests || a.status >= 500:
		return provider.ErrUnavailable
	}
	return nil
}

// canceled is a body whose request's context ends with it.
type canceled struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

// Close implements io.Closer.
func (c canceled) Close() error {
	defer c.cancel(nil)
	return c.ReadCloser.Close()
}

// receive makes the file of what comes.
func (f files) receive(from io.Reader) error {
	private.Sweep(f.path)
	temporary, err := os.CreateTemp(filepath.Dir(f.path), "."+filepath.Base(f.path)+".zen-*")
	if err != nil {
		return err
	}
	n, err := io.Copy(temporary, from)
	if err == nil && n%pageSize != 0 { // cut, and nothing else told
		err = fmt.Errorf("the database sent a file of %d bytes, which is no whole number of pages", n)
	}
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), f.path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
	}
	return err
}

// Interface guards
var _ error = (*answer)(nil)
