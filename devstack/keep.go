package devstack

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// freePort is the default address of a stack.
const freePort = "127.0.0.1:0"

// keep is the directory of a stack, locked while it runs: two at a time would
// overwrite each other's state. The zero value keeps nothing.
type keep struct {
	dir  string
	lock *flock.Flock
}

func openKeep(dir string) (*keep, error) {
	if dir == "" {
		return &keep{}, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	k := &keep{dir, flock.New(filepath.Join(dir, "lock"))}
	locked, err := k.lock.TryLock()
	if err == nil && !locked {
		err = errors.New("another stack is using it")
	}
	if err != nil {
		return nil, fmt.Errorf("use %s: %w", dir, err)
	}
	return k, nil
}

func (k *keep) close() error {
	if k.lock == nil {
		return nil
	}
	return k.lock.Close()
}

// listen listens on the address, on that of the last run if there is none, or on
// a free port, and keeps it in a file of that name. The port is part of the
// issuer's name: it stays.
func (k *keep) listen(name, address string) (net.Listener, error) {
	kept, file := "", filepath.Join(k.dir, name)
	if address == "" && k.dir != "" {
		data, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		kept = strings.TrimSpace(string(data))
		address = kept
	}
	address = cmp.Or(address, freePort)
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%w: %q", ErrAddress, address)
	}
	listener, err := net.Listen("tcp", address)
	switch {
	case err != nil && kept != "":
		return nil, fmt.Errorf("the address of the last run, kept in %s: %w", file, err)
	case err != nil || k.dir == "":
		return listener, err
	}
	if err := os.WriteFile(file, []byte(listener.Addr().String()+"\n"), 0o600); err != nil {
		listener.Close()
		return nil, err
	}
	return listener, nil
}
