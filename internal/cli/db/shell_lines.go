package db

import (
	"bufio"
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

func newEditor(h *history, terminated <-chan os.Signal) *editor {
	e := &editor{liner.NewLiner(), terminated}
	e.state.SetCtrlCAborts(true)
	e.state.SetMultiLineMode(true)
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

func (e *editor) close() { e.state.Close() }

// reader reads lines from anything else.
type reader struct{ lines *bufio.Reader }

func plainLines(r io.Reader) reader { return reader{bufio.NewReader(r)} }

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
