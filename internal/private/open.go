// Package private opens files that decide something: a file is opened once, and what
// was opened is looked at, not what its path leads to a moment before or after.
package private

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Rule says which files may be believed. The zero value takes a regular file of the
// user's own that no one else may write to, and follows no symbolic link in its last
// part.
type Rule struct {
	// Root takes files that belong to root, too.
	Root bool
	// Links follows symbolic links: what they lead to has to be as the rule says.
	Links bool
	// Shared takes files that others may write to.
	Shared bool
}

// The reasons why a file isn't believed; they are wrapped by an error that names the
// file.
var (
	ErrIrregular = errors.New("it is not a regular file")
	ErrForeign   = errors.New("it belongs to another user")
	ErrWritable  = errors.New("others may write to it")
)

// Open opens a file for reading if it is as the rule says. It never waits for the
// writer of a named pipe. The error is fs.ErrNotExist where there is no file, and one
// of this package's where the file is another than the rule asks for.
func Open(path string, rule Rule) (*os.File, error) {
	flags := os.O_RDONLY | nonBlock
	if !rule.Links {
		flags |= noFollow
	}
	f, err := os.OpenFile(path, flags, 0)
	if err != nil {
		if isLink(err) {
			err = fmt.Errorf("open %s: %w: it is a symbolic link", path, ErrIrregular)
		}
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = rule.check(info)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return f, nil
}

// Overwrite replaces what is in a regular file that is there already. It follows no
// symbolic link in the last part of path.
func Overwrite(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|nonBlock|noFollow, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("write %s: %w", path, ErrIrregular)
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.Write(data)
	}
	return errors.Join(err, f.Close())
}

func (r Rule) check(info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return ErrIrregular
	}
	return r.checkOwner(info)
}
