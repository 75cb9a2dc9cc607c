package app

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/term"
)

// readLine reads a line of the console. Such a read can't be interrupted: when ctx
// ends first, the reader is left behind, and the program is about to end. ready is called before
// the read.
func readLine(ctx context.Context, f *os.File, hidden bool, ready func()) (string, error) {
	ready()
	type answer struct {
		line string
		err  error
	}
	if state, err := term.GetState(int(f.Fd())); err == nil {
		defer term.Restore(int(f.Fd()), state)
	}
	answers := make(chan answer, 1)
	go func() {
		if hidden {
			line, err := term.ReadPassword(int(f.Fd()))
			answers <- answer{string(line), err}
			return
		}
		line, err := bufio.NewReader(f).ReadString('\n')
		if errors.Is(err, io.EOF) && line != "" {
			err = nil // of a file whose last line has no end
		}
		answers <- answer{line, err}
	}()
	select {
	case a := <-answers:
		return a.line, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
