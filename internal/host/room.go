package host

import (
	"crypto/tls"
	"fmt"
	"time"

	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/leftover"
	"github.com/zen-auth/zen/internal/private"
)

// room is what a process of a provider finds: a directory for its socket, with a watcher, and
// this host's half of their TLS. It is made while the program is hashed, which takes longer.
type room struct {
	dir         *private.Dir
	tls         *tls.Config
	certificate []byte
	// watcher has one value, once the watcher has been started.
	watcher chan *leftover.Watcher
}

// makeRoom makes the room of the provider of that name, watched by a program. The start of
// that is not waited for.
func makeRoom(name, watcher string) (*room, error) {
	dir, err := MakeSocketDir()
	if err != nil {
		return nil, fmt.Errorf("start provider %s: %w", name, err)
	}
	r := &room{dir: dir, watcher: make(chan *leftover.Watcher, 1)}
	go func() { r.watcher <- leftover.Watch(watcher, dir) }() // leave waits for it
	r.tls, r.certificate, err = handshake.ClientIdentity(time.Now())
	if err != nil {
		r.leave()
		return nil, &StartError{Name: name, Err: err}
	}
	return r, nil
}

// leave ends the watcher and what a process in this room has left, and removes the directory.
func (r *room) leave() {
	wait := (<-r.watcher).Stop()
	leftover.End(r.dir.Path)
	r.dir.Remove()
	wait() // it takes longer than anything else
}
