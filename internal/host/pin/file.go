package pin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/pelletier/go-toml/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/private"
)

// file is a TOML file that says what may run: it has to be this user's alone.
type file struct{ path string }

// maxFile bounds what is read.
const maxFile = 1 << 20

// load reads the file into doc, which it leaves alone if there is none. What
// isn't understood is provider.ErrConfig with the hint.
func (f file) load(doc any, hint string, check func() error) error {
	data, err := f.read()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", f.path, err)
	}
	err = toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(doc)
	if err == nil {
		err = check()
	}
	if err != nil {
		return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("read %s: %v", f.path, err), Hint: hint}
	}
	return nil
}

// ours is the rule for zen's own files: only this user or root may write them, and they may
// be symbolic links to files kept elsewhere.
var ours = private.Rule{Root: true, Closed: 0o022, Links: true}

func (f file) read() ([]byte, error) {
	opened, err := ours.Open(f.path, os.O_RDONLY)
	if fault, ok := errors.AsType[*private.Fault](err); ok {
		failure := &provider.Error{Kind: provider.ErrConfig, Err: err, Message: err.Error()}
		if fault.Writable {
			failure.Hint = "look at what is in it, then take the right to write from others (" + fault.Closing(f.path) + ")"
		}
		return nil, failure
	}
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	data, err := private.ReadAll(opened, maxFile+1)
	if len(data) > maxFile {
		return nil, errors.New("it is larger than 1 MiB")
	}
	return data, err
}

// alone runs change while no other process changes the file. It waits for others
// until ctx ends, ten seconds at most.
func (f file) alone(ctx context.Context, change func() error) error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	guard := flock.New(f.path + ".lock")
	if _, err := guard.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return fmt.Errorf("wait for another zen that writes %s: %w", f.path, err)
	}
	defer guard.Close()
	return change()
}

// save replaces the file at once, or not at all.
func (f file) save(header string, doc any) error {
	data, err := toml.Marshal(doc)
	if err == nil {
		err = private.Replace(f.path, append([]byte(header), data...), 0o600)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	return nil
}
