//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/link"
	"github.com/zen-auth/zen/internal/private"
)

// files are a replica's: the database and what lies beside it.
type files struct {
	path   string
	target provider.Target
	anchor *anchor
}

// beside are the suffixes of the files that belong to the database: SQLite's, and
// libSQL's for its two protocols. -zen is kept when the others are moved.
var beside = []string{"", "-wal", "-shm", "-info", "-client_wal_index"}

func (f files) info() string   { return f.path + "-info" }
func (f files) marker() string { return f.path + "-zen" }

// progress reads how far the file is. It is zero without.
func (f files) progress() link.Progress {
	p, _ := f.metadata()
	return p
}

// errDamaged: the files don't fit together.
var errDamaged = errors.New("the replica's files don't fit together")

// metadata reads and checks -info, as libSQL's other clients do when they open the file.
func (f files) metadata() (link.Progress, error) {
	var m info
	data, err := private.ReadRegular(f.info(), maxBeside)
	if err != nil {
		return link.Progress{}, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return link.Progress{}, fmt.Errorf("%w: %s is not JSON", errDamaged, f.info())
	}
	if m.Version != 0 || m.Generation == 0 || m.Hash != m.sum() {
		return link.Progress{}, fmt.Errorf("%w: the check sum in %s is wrong", errDamaged, f.info())
	}
	return link.Progress{Generation: m.Generation, Frame: m.DurableFrameNum}, nil
}

// keep writes -info.
func (f files) keep(at link.Progress) error {
	m := info{DurableFrameNum: at.Frame, Generation: at.Generation}
	m.Hash = m.sum()
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return private.Replace(f.info(), data, f.mode())
}

// info is what -info holds. All of libSQL's clients read and write it.
type info struct {
	Hash            uint32 `json:"hash"`
	Version         uint32 `json:"version"`
	DurableFrameNum uint32 `json:"durable_frame_num"`
	Generation      uint32 `json:"generation"`
}

func (m info) sum() uint32 {
	hashed := binary.LittleEndian.AppendUint32(nil, m.Version)
	hashed = binary.LittleEndian.AppendUint32(hashed, m.DurableFrameNum)
	hashed = binary.LittleEndian.AppendUint32(hashed, m.Generation)
	return crc32.ChecksumIEEE(hashed)
}

// state describes whether the files can be used.
type state uint8

const (
	fresh   state = iota // there are none
	synced               // they can be read, and brought up to date
	damaged              // a replica's, and of no use
)

// look returns the state. It returns an error for files that are not this replica's: they are
// never touched.
func (f files) look() (state, error) {
	if info, err := os.Stat(f.path); err == nil && !info.Mode().IsRegular() {
		return 0, wrong(fmt.Sprintf("replica %s is not a file", f.path), "give the path of a file, which need not exist")
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("replica %s can't be used: %v", f.path, err), Err: err}
	}
	if info, err := os.Stat(filepath.Dir(f.path)); err != nil || !info.IsDir() {
		return 0, wrong(fmt.Sprintf("replica %s has no directory", f.path), "make it first: mkdir -p "+filepath.Dir(f.path))
	}
	ours, err := f.claimed()
	if err != nil {
		return 0, err
	}
	database, info := exists(f.path), exists(f.info())
	leftover := exists(f.path+"-wal") || exists(f.path+"-client_wal_index")
	switch {
	case database && info:
		if _, err := f.metadata(); err != nil || !f.anchor.isDatabase(f.path) {
			return damaged, nil
		}
		return synced, nil
	case !database && !info && !leftover:
		return fresh, nil
	case database && !ours && !exists(f.path+"-client_wal_index"):
		return 0, wrong(fmt.Sprintf("%s is a database of its own, and not a replica", f.path), "choose another path for the replica, or open it in mode local")
	}
	return damaged, nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// maxBeside bounds the files beside a replica: each is a line of JSON.
const maxBeside = 64 << 10

// claim is the content of the file PATH-zen.
type claim struct {
	Database   string `json:"database"`
	DatabaseID string `json:"database_id,omitempty"`
}

// readClaim reads PATH-zen. The claim is zero where there is none.
func (f files) readClaim() (c claim, err error) {
	data, err := private.ReadRegular(f.marker(), maxBeside)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(data) == 0 {
		return claim{}, nil
	}
	if err != nil {
		return claim{}, err
	}
	if err := json.Unmarshal(data, &c); err != nil || c.Database == "" {
		return claim{}, wrong(fmt.Sprintf("%s is not what zen wrote there", f.marker()), "choose another path for the replica")
	}
	return c, nil
}

// claimed reports whether zen made the files. They must be of the same database:
// else one database's pages would come after another's.
func (f files) claimed() (bool, error) {
	c, err := f.readClaim()
	if err != nil || c == (claim{}) {
		return false, err
	}
	other := c.Database != f.target.URL
	if c.DatabaseID != "" && f.target.DatabaseID != "" {
		other = c.DatabaseID != f.target.DatabaseID
	}
	if other && c.Database == f.target.URL {
		return false, wrong(fmt.Sprintf("%s is the replica of an earlier database at %s", f.path, c.Database), "the database was made anew: move the replica's files away, or choose another path")
	}
	if other {
		return false, wrong(fmt.Sprintf("%s is the replica of %s, not of %s", f.path, c.Database, f.target.URL), "choose another path for this database's replica")
	}
	return true, nil
}

// claim notes the database, before the first file is there. What is noted already stays:
// half of a note that a kill or a full disk has left would let another database in.
func (f files) claim() error {
	c := claim{f.target.URL, f.target.DatabaseID}
	switch was, err := f.readClaim(); {
	case err != nil:
		return err
	case was == c, was.Database == c.Database && c.DatabaseID == "":
		return nil
	}
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return os.WriteFile(f.marker(), append(data, '\n'), 0o600)
}

// mode returns the permissions of the replica's files: the owner's alone, until the owner
// changes them.
func (f files) mode() fs.FileMode {
	if info, err := os.Stat(f.path); err == nil {
		return info.Mode().Perm()
	}
	return 0o600
}

// keepMode gives the files the mode back that they had.
func (f files) keepMode(mode fs.FileMode) {
	for _, suffix := range beside {
		if info, err := os.Stat(f.path + suffix); err == nil && info.Mode().Perm() != mode {
			_ = os.Chmod(f.path+suffix, mode) // of another owner's it stays as it is
		}
	}
}

// setAside moves the files away, and returns where the database's is.
func (f files) setAside(now time.Time) (string, error) {
	to := f.path + ".damaged-" + now.UTC().Format("20060102T150405.000Z")
	for _, suffix := range beside {
		if err := os.Rename(f.path+suffix, to+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("move the damaged replica away: %w", err)
		}
	}
	return to, nil
}
