package host

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// What a dead process wrote is read even if this process stood still for longer than the pipe
// is waited for. A pipe that another process holds open ends all the same.
func TestPipeIsReadAfterItsDeadline(t *testing.T) {
	for _, held := range []bool{false, true} {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer read.Close()
		defer write.Close()
		trace := strings.Repeat("trace ", 5000)
		if _, err := write.WriteString(trace); err != nil {
			t.Fatal(err)
		}
		if !held {
			write.Close()
		}
		if err := read.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
			t.Skipf("pipes have no deadline here: %v", err)
		}
		got, err := io.ReadAll(&pipe{File: read})
		if string(got) != trace || held != errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("held open %t: read %d of %d bytes, %v", held, len(got), len(trace), err)
		}
	}
}
