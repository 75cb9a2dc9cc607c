package private

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Dir is a temporary directory that this user alone can enter. It is marked as in use
// for as long as this process lives, however that ends, so that SweepDirs distinguishes those
// of killed processes from others.
type Dir struct {
	// Path is the directory's path.
	Path string
	mark *os.File // nil where directories can't be locked
}

// MakeDir makes a directory in parent whose name begins with prefix.
func MakeDir(parent, prefix string) (*Dir, error) {
	path, err := os.MkdirTemp(parent, prefix) // 0700
	if err != nil {
		return nil, err
	}
	mark, _ := markUsed(path, false)
	return &Dir{Path: path, mark: mark}, nil
}

// Remove removes the directory and what is in it.
func (d *Dir) Remove() {
	_ = os.RemoveAll(d.Path)
	if d.mark != nil {
		_ = d.mark.Close()
	}
}

// Marked reports whether others can see that the directory is in use.
func (d *Dir) Marked() bool { return d.mark != nil }

// SweepDirs removes the directories of MakeDir in parent that processes left which were
// killed, after each was called for each of them; each may be nil. It ends with ctx.
func SweepDirs(ctx context.Context, parent, prefix string, now time.Time, each func(path string)) {
	entries, _ := os.ReadDir(parent)
	for _, entry := range entries {
		if ctx.Err() != nil {
			return
		}
		if !entry.IsDir() || !strings.HasPrefix(entry.Name(), prefix) {
			continue
		}
		info, err := entry.Info()
		if err != nil || now.Sub(info.ModTime()) < abandoned || !isOurs(info) {
			continue
		}
		path := filepath.Join(parent, entry.Name())
		if mark, ok := markUsed(path, false); ok { // no other process uses it
			sweepDir(path, mark, each)
		}
	}
}

// SweepAfter waits until a directory of MakeDir isn't in use any more, and sweeps it, if
// it is still there then.
func SweepAfter(path, prefix string, each func(path string)) {
	if info, err := os.Lstat(path); err != nil || !info.IsDir() || !strings.HasPrefix(filepath.Base(path), prefix) || !isOurs(info) {
		return
	}
	mark, ok := markUsed(path, true)
	if !ok || mark == nil {
		return
	}
	if _, err := os.Lstat(path); err != nil {
		_ = mark.Close() // who used it has removed it
		return
	}
	sweepDir(path, mark, each)
}

// sweepDir removes a directory that this process has marked, after each, if there is one,
// was called for it.
func sweepDir(path string, mark *os.File, each func(path string)) {
	if each != nil {
		each(path)
	}
	_ = os.RemoveAll(path)
	if mark != nil {
		_ = mark.Close()
	}
}
