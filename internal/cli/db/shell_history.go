package db

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zen-auth/zen/internal/private"
	"github.com/zen-auth/zen/internal/text"
)

const (
	maxHistory = 1000    // lines of history that are read; twice that are kept at most
	maxKept    = 8 << 10 // bytes of a statement that is kept
)

// history is the file of what was typed in shells: private, a line a line of a
// statement. What may hold a secret is not written.
type history struct {
	path string
	file *os.File // nil: nothing is kept, or not yet
	err  error    // the first of writing
}

func newHistory(stateDir string) *history {
	return &history{path: filepath.Join(stateDir, "shell_history")}
}

// load returns the last lines, and shortens a file that has grown too long. That
// there is none, or none to be read, leaves the shell without.
func (h *history) load() []string {
	if h == nil {
		return nil
	}
	lines := h.read()
	if len(lines) > 2*maxHistory {
		lines = lines[len(lines)-maxHistory:]
		h.err = private.Replace(h.path, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
	}
	return lines[max(0, len(lines)-maxHistory):]
}

// read returns the lines of the file. It is closed by then: Windows replaces no file that
// is open.
func (h *history) read() (lines []string) {
	f, err := os.Open(h.path)
	if err != nil {
		return nil
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		lines = append(lines, s.Text())
	}
	return lines
}

// keep adds a statement that is about to run, each line of it. A nil history keeps
// nothing.
func (h *history) keep(hidden bool, statement string) {
	if h == nil || h.err != nil || hidden || len(statement) > maxKept || maySecret(statement) {
		return
	}
	if h.file == nil {
		if h.err = h.open(); h.err != nil {
			return
		}
	}
	for line := range strings.Lines(statement + ";") {
		if line = text.Lines(strings.TrimRight(line, "\r\n")); line != "" && h.err == nil {
			_, h.err = fmt.Fprintln(h.file, line)
		}
	}
}

func (h *history) open() error {
	err := os.MkdirAll(filepath.Dir(h.path), 0o700)
	if err == nil {
		h.file, err = os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	}
	if err == nil {
		err = h.file.Chmod(0o600)
	}
	return err
}

func (h *history) close() error {
	if h == nil {
		return nil
	}
	if h.file != nil {
		h.file.Close()
	}
	if h.err != nil {
		return fmt.Errorf("keep the history: %w", h.err)
	}
	return nil
}

// maySecret reports a statement that may hold a secret: a key, a password, a token or
// the path of another database. It rather errs on the side of forgetting.
func maySecret(statement string) bool {
	upper := strings.ToUpper(statement)
	words := []string{"ATTACH", "KEY=", "KEY =", "PASSWORD", "PASSWD", "SECRET", "TOKEN", "SK_", "PRAGMA KEY", "PRAGMA REKEY", "PRAGMA HEXKEY"}
	if slices.ContainsFunc(words, func(word string) bool { return strings.Contains(upper, word) }) ||
		strings.Contains(statement, "eyJ") { // a JWT begins with it
		return true
	}
	run := 0
	for i := range len(statement) {
		c := statement[i]
		if '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || strings.IndexByte("_-+/.", c) >= 0 {
			run++
		} else {
			run = 0
		}
		if run >= 32 { // no word, and long enough for a key
			return true
		}
	}
	return false
}
