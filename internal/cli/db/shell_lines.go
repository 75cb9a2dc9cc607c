package db

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/peterh/liner"
)

// editor reads lines from a terminal, with editing and history.
type editor struct {
	state      *liner.State
	terminated <-chan os.Signal
}

func newEditor(h *history, terminated <-chan os.Signal, complete liner.WordCompleter) *editor {
	e := &editor{liner.NewLiner(), terminated}
	e.state.SetCtrlCAborts(true)
	e.state.SetMultiLineMode(true)
	if complete != nil {
		e.state.SetWordCompleter(complete)
		e.state.SetTabCompletionStyle(liner.TabPrints)
	}
	for _, line := range h.load() {
		e.state.AppendHistory(line)
	}
	return e
}

// next reads a line. The goroutine that waits for it is left alone only where the
// program ends for a signal.
func (e *editor) next(prompt string) (string, error) {
	type answer struct {
		line string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		line, err := e.state.Prompt(prompt)
		answers <- answer{line, err}
	}()
	select {
	case <-e.terminated:
		return "", errTerminated
	case a := <-answers:
		switch {
		case errors.Is(a.err, liner.ErrPromptAborted):
			return "", errInterrupted
		case a.err == io.EOF:
			fmt.Fprintln(os.Stdout)
		case a.err == nil && strings.TrimSpace(a.line) != "":
			e.state.AppendHistory(a.line)
		}
		return a.line, a.err
	}
}

// waits implements lines. What is typed runs at once, so that nothing is held back.
func (e *editor) waits() bool { return false }

func (e *editor) close() { e.state.Close() }

// reader reads lines from anything else.
type reader struct{ lines *bufio.Reader }

func plainLines(r io.Reader) reader { return reader{bufio.NewReaderSize(r, 256<<10)} }

// waits implements lines: there is no whole line in the buffer.
func (r reader) waits() bool {
	ahead, _ := r.lines.Peek(r.lines.Buffered())
	return bytes.IndexByte(ahead, '\n') < 0
}

func (r reader) next(string) (string, error) {
	line, err := r.lines.ReadString('\n')
	switch {
	case err == io.EOF && line != "":
		err = nil
	case err != nil && err != io.EOF:
		err = fmt.Errorf("read standard input: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), err
}
