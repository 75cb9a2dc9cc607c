//go:build unix

package app

import (
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// maxLine is far above what a person types or pastes.
const maxLine = 64 << 10

// readLine reads a line of a terminal, until ctx ends. Hidden, the line isn't shown
// and may be longer than the 1,024 bytes that a terminal of macOS takes at once (a
// pasted JWT is): zen edits it itself, as far as backspace and Ctrl-U. ready is called once
// nothing is shown any more: a person who pastes at the first sight of a question is fast.
func readLine(ctx context.Context, f *os.File, hidden bool, ready func()) (string, error) {
	fd := int(f.Fd())
	// A job in the background would be stopped, where the terminal controls it.
	if group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP); err == nil && group != unix.Getpgrp() {
		return "", errNobody
	}
	if hidden {
		restore, err := hide(fd)
		if err != nil {
			return "", err
		}
		defer restore()
	}
	ready()
	wake, over, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer wake.Close()
	defer over.Close()
	defer context.AfterFunc(ctx, func() { _, _ = over.Write([]byte{0}) })()
	var line []byte
	for buffer := make([]byte, 4096); len(line) < maxLine; {
		if err := awaitInput(fd, int(wake.Fd())); err != nil {
			return "", err
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		n, err := unix.Read(fd, buffer)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err == nil && n == 0 && len(line) > 0 {
			return string(line), nil // of a file whose last line has no end
		}
		if err != nil || n == 0 {
			return "", errors.Join(err, io.ErrUnexpectedEOF)
		}
		var ended bool
		if line, ended = edit(line, buffer[:n]); ended {
			return string(line), nil
		}
	}
	return "", errors.New("the line is too long")
}

// hide switches the echo of the terminal off, and hands over each byte at once. Ctrl-C is a
// signal as before.
func hide(fd int) (restore func(), err error) {
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	hidden := *before
	hidden.Lflag &^= unix.ECHO | unix.ICANON
	hidden.Cc[unix.VMIN], hidden.Cc[unix.VTIME] = 1, 0
	return func() { _ = unix.IoctlSetTermios(fd, setTermios, before) }, unix.IoctlSetTermios(fd, setTermios, &hidden)
}

// edit adds what was typed to a line. ended is true at its end.
func edit(line, typed []byte) (edited []byte, ended bool) {
	const endOfFile, backspace, lineKill, del = 4, 8, 21, 127
	for _, b := range typed {
		switch b {
		case '\r', '\n', endOfFile:
			return line, true
		case backspace, del:
			line = line[:max(0, len(line)-1)]
		case lineKill:
			line = line[:0]
		default:
			line = append(line, b)
		}
	}
	return line, false
}

// awaitInput waits until one of the two can be read. It is select(2), because poll(2)
// knows no terminals on macOS.
func awaitInput(terminal, wake int) error {
	for {
		var set unix.FdSet
		set.Set(terminal)
		set.Set(wake)
		if _, err := unix.Select(max(terminal, wake)+1, &set, nil, nil, nil); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
