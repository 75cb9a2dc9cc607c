package host

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/zen-auth/zen/internal/handshake"
)

// socketDirPrefix begins the name of every socket directory.
const socketDirPrefix = "zen-socket-"

// socketDir is a directory that only this user can enter, for the socket of one
// provider; it is also its working directory. It is marked as in use for as long
// as this process lives, however that ends.
type socketDir struct {
	path string
	mark *os.File // nil where directories can't be locked
}

// newSocketDir makes a directory. A path that is too long would fail later, with
// an error about something else (hashicorp/terraform#32787).
func newSocketDir() (*socketDir, error) {
	path, err := os.MkdirTemp(socketParent(), socketDirPrefix) // 0700
	if err != nil {
		return nil, err
	}
	mark, _ := markUsed(path)
	return &socketDir{path: path, mark: mark}, nil
}

func socketParent() string {
	parent := os.TempDir()
	if runtime.GOOS != "windows" && len(parent)+len("/"+socketDirPrefix+"1234567890") > handshake.MaxSocketDir {
		return "/tmp"
	}
	return parent
}

// clear removes what is in the directory. The socket isn't needed once zen is
// connected, and what isn't there can't be left behind, nor be connected to.
func (d *socketDir) clear() {
	entries, _ := os.ReadDir(d.path)
	for _, entry := range entries {
		if entry.Type()&os.ModeSocket != 0 {
			_ = os.Remove(filepath.Join(d.path, entry.Name()))
		}
	}
}

func (d *socketDir) remove() {
	_ = os.RemoveAll(d.path)
	if d.mark != nil {
		_ = d.mark.Close()
	}
}

// newborn is how old a directory is at least that is swept: before that it may be
// one that is about to be marked.
const newborn = time.Minute

// sweep removes the directories of hosts that were killed. It ends with ctx.
func sweep(ctx context.Context, parent string, now time.Time) {
	entries, _ := os.ReadDir(parent)
	for _, entry := range entries {
		if ctx.Err() != nil {
			return
		}
		if !entry.IsDir() || !strings.HasPrefix(entry.Name(), socketDirPrefix) {
			continue
		}
		info, err := entry.Info()
		if err != nil || now.Sub(info.ModTime()) < newborn || !handshake.IsOwn(info) {
			continue
		}
		path := filepath.Join(parent, entry.Name())
		if mark, ok := markUsed(path); ok { // nobody else uses it
			_ = os.RemoveAll(path)
			_ = mark.Close()
		}
	}
}
