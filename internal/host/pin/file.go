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
)

// file is a TOML file that says what may run: it has to be this user's alone.
type file struct{ path string }

// maxFile bounds what is read.
const maxFile = 1 << 20

// load reads the file into doc, which it leaves alone where there is none. What
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

func (f file) read() ([]byte, error) {
	opened, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	if err := checkOwn(opened); err != nil {
		return nil, err
	}
	info, err := opened.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, errors.New("it is larger than 1 MiB")
	}
	data := make([]byte, info.Size())
	n, err := opened.ReadAt(data, 0)
	if n == len(data) {
		err = nil
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
		err = f.write(append([]byte(header), data...))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	return nil
}

func (f file) write(data []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(f.path), "."+filepath.Base(f.path)+"-*") // 0600
	if err != nil {
		return err
	}
	_, err = temporary.Write(data)
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), f.path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
	}
	return err
}
