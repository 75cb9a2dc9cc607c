//go:build cgo && linux && (amd64 || arm64)

package soak_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/zen-auth/zen/internal/audit"
)

// followAudit counts the events in the audit log until ctx ends and everything is read. It
// must keep up, since the log keeps only its last megabytes.
func (s *soak) followAudit(ctx context.Context, path string) {
	file, err := os.Open(path)
	for ended := false; err == nil; {
		s.countEvents(file)
		switch {
		case renamed(file, path):
			s.countEvents(file) // those written before the rotation
			s.check(file.Close())
			file, err = os.Open(path)
		case ended:
			s.check(file.Close())
			return
		default:
			ended = !sleep(ctx, 10*time.Millisecond, 11*time.Millisecond)
		}
	}
	s.check(err)
}

// countEvents counts the new lines.
func (s *soak) countEvents(file *os.File) {
	for lines := bufio.NewReader(file); ; {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			_, err = file.Seek(int64(-len(line)), io.SeekCurrent)
			s.check(err)
			return
		}
		var e audit.Event
		if err == nil {
			err = json.Unmarshal(line, &e)
		}
		if s.check(err); err != nil {
			return
		}
		s.counts.add(fmt.Sprintf("audit: %s %s", e.Kind, e.Outcome))
	}
}

// renamed reports whether path is another file by now.
func renamed(file *os.File, path string) bool {
	was, err := file.Stat()
	if err != nil {
		return false
	}
	is, err := os.Stat(path)
	return err == nil && !os.SameFile(was, is)
}
