//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zen-auth/zen/internal/link"
)

// closeTimeout limits how long Close waits for a sync whose connections were cut.
const closeTimeout = 10 * time.Second

// lockedTimeout limits how long a sync waits for reads to end, if it has to: the log is
// emptied when its generation ends.
const lockedTimeout = 500 * time.Millisecond

// replica makes connections to a replica, and keeps it up to date.
type replica struct {
	link    *link.Link
	options link.Options
	files   files
	silence time.Duration
	pulls   pulls
	stop    context.CancelFunc // ends a wait for another program's sync
	loop    *loop              // or nil

	// writer is used by the one pull that runs at a time, and by Close after the last.
	// It is nil until the database could be reached.
	writer *writer
	// recovered is the directory of damaged files, until a Synced has reported it.
	recovered string

	// behind: the file lacks a write that was made through this handle.
	behind atomic.Bool

	mu     sync.Mutex // guards closed
	closed bool
}

// newReplica opens a replica. One that was in sync before is opened also without a
// network and without a token.
func newReplica(ctx context.Context, remote *link.Link, options link.Options) (_ driver.Connector, err error) {
	options.Path, err = filepath.Abs(options.Path)
	r := &replica{link: remote, options: options, files: files{options.Path, options.Target, new(anchor)}, silence: cmp.Or(remote.Timeout, defaultSilence)}
	open, stop := context.WithCancel(context.Background())
	r.stop = stop
	r.pulls.run = func() (link.Synced, error) { return r.sync(open) }
	opened := false
	defer func() {
		if !opened {
			err = errors.Join(err, r.release())
		}
	}()
	if err != nil {
		return nil, err
	}
	if _, err := r.files.look(); err != nil { // before -zen is made
		return nil, err
	}
	if _, err := r.pulls.wait(ctx); err != nil {
		was, lookErr := r.files.look()
		if ctx.Err() != nil || lookErr != nil || was != synced || !isOffline(err) {
			return nil, err
		}
	}
	if options.SyncInterval > 0 {
		r.loop = startLoop(options.SyncInterval, options.OnSync, r.pulls.wait)
	}
	opened = true
	return r, nil
}

// prepare looks at the files, and clears those away that are of no use.
func (r *replica) prepare() (state, error) {
	was, err := r.files.look()
	if err == nil && was == damaged {
		was, err = fresh, r.setAside()
	}
	if err == nil {
		err = r.files.claim()
	}
	return was, err
}

// setAside moves the files away. Connections that have them open are dropped by their
// pools.
func (r *replica) setAside() (err error) {
	r.closeWriter()
	r.recovered, err = r.files.setAside(time.Now())
	return err
}

// sync brings the file up to date. One runs at a time, in all programs that have the
// file open. It waits briefly for another program's, or not at all if reads can go on
// without it.
func (r *replica) sync(open context.Context) (link.Synced, error) {
	patience := lockTimeout
	if r.behind.Load() {
		patience = 0
	}
	lock, err := r.files.lock(open, patience)
	if err != nil {
		return link.Synced{}, err
	}
	defer lock.Close()
	state, opening := synced, r.writer == nil
	if _, unreadable := r.files.metadata(); opening || unreadable != nil || !r.writer.isOf(r.options.Path) {
		if state, err = r.prepare(); err != nil {
			return link.Synced{}, err
		}
	}
	began, before, mode := time.Now(), r.files.progress(), r.files.mode()
	err = r.pull(open, state)
	for wait := time.Millisecond; errors.Is(err, errBusy) && !r.behind.Load() && time.Since(began) < lockedTimeout; wait = min(2*wait, 50*time.Millisecond) {
		time.Sleep(wait)
		err = r.pull(open, synced)
	}
	if errors.Is(err, errDamaged) && opening {
		if moved := r.setAside(); moved == nil {
			err = r.pull(open, fresh)
		}
	}
	r.files.keepMode(mode)
	if err == nil {
		r.behind.Store(false)
	}
	done := link.Synced{Progress: r.files.progress(), Took: time.Since(began), Err: err, Recovered: r.recovered}
	done.Changed = done.Progress != before
	r.recovered = ""
	return done, err
}

// Connect implements driver.Connector. It touches neither the network nor the file.
func (r *replica) Connect(ctx context.Context) (driver.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errClosed
	}
	remote, err := r.link.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &replicaConn{r: r, remote: remote.(link.Conn)}, nil
}

// Driver returns a driver that opens nothing by name.
func (r *replica) Driver() driver.Driver { return nameless{} }

// Close stops what runs in the background, a sync included, and waits for it. What was
// written is at the database already. A second call is an error.
func (r *replica) Close() error {
	r.mu.Lock()
	closed := r.closed
	r.closed = true
	r.mu.Unlock()
	if closed {
		return errClosed
	}
	return r.release()
}

// release gives up what there is of a replica.
func (r *replica) release() error {
	ended := r.pulls.close()
	r.stop()
	if r.loop != nil {
		r.loop.stop()
	}
	var errs []error
	r.files.anchor.close()
	select {
	case <-ended:
		r.closeWriter()
	case <-time.After(closeTimeout):
		// Closing under a running sync would crash the process: it is left to it, and
		// so is the lock.
		errs = append(errs, fmt.Errorf("close replica %s: its sync doesn't end", r.options.Path))
	}
	return errors.Join(append(errs, r.link.Close())...)
}

// Interface guards
var (
	_ driver.Connector = (*replica)(nil)
	_ io.Closer        = (*replica)(nil)
)
