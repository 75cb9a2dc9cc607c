package private

import (
	"cmp"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// mark follows the name of a file in those of its temporary files: a process that is
// killed may leave one.
const mark = ".zen-"

// newborn is the least age of a temporary file that is swept: until then a process
// may be writing it.
const newborn = time.Minute

// Replace has data take the place of the file at path, or make it, with exactly that
// mode: a reader, and a crash, finds the old or the new file, never a part of
// one. It is on the disk when Replace returns. Nothing is left of a write that was
// killed: on Linux the file has no name until it is complete, and elsewhere the next
// Replace of the same path sweeps it.
//
// A symbolic link at path is replaced, not followed.
func Replace(path string, data []byte, mode fs.FileMode) error {
	return replace(path, data, mode, nameless)
}

func replace(path string, data []byte, mode fs.FileMode, nameless func(dir string, mode fs.FileMode) (*os.File, error)) error {
	dir, base := filepath.Split(path)
	dir = cmp.Or(dir, ".")
	sweep(dir, base, time.Now())
	f, err := nameless(dir, mode)
	hasName := err != nil
	name := ""
	if hasName {
		if name, err = unused(dir, base, func(name string) (err error) {
			f, err = create(name, mode)
			return err
		}); err != nil {
			return err
		}
	}
	_, err = f.Write(data)
	err = errors.Join(err, chmod(f, mode), f.Sync())
	if err == nil && !hasName {
		name, err = unused(dir, base, func(name string) error { return giveName(f, name) })
		hasName = err == nil
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = Rename(name, path)
	}
	if err != nil && hasName {
		_ = os.Remove(name)
	}
	return err
}

// unused calls try with names until one isn't taken.
func unused(dir, base string, try func(name string) error) (name string, err error) {
	for range 100 {
		name = filepath.Join(dir, "."+base+mark+strconv.FormatUint(uint64(rand.Uint32()), 36))
		if err = try(name); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return name, err
}

// Sweep removes what killed processes left of unfinished writes of the file at path. The
// caller knows that no one is writing it now.
func Sweep(path string) {
	dir, base := filepath.Split(path)
	sweep(dir, base, time.Now().Add(newborn))
}

// sweep removes what killed processes left of unfinished writes of base.
func sweep(dir, base string, now time.Time) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // the write will say what is wrong
	}
	for _, entry := range entries {
		random, ok := strings.CutPrefix(entry.Name(), "."+base+mark)
		if !ok || !entry.Type().IsRegular() || strings.Trim(random, "0123456789abcdefghijklmnopqrstuvwxyz") != "" {
			continue
		}
		if info, err := entry.Info(); err == nil && now.Sub(info.ModTime()) >= newborn {
			_ = os.Remove(filepath.Join(dir, entry.Name()))
		}
	}
}
