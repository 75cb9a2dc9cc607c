package host

import (
	"bufio"
	"cmp"
	"io"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"

	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/text"
)

// LogLevels returns the levels of Options, from the most to the least.
func LogLevels() []string { return []string{"trace", "debug", "info", "warn", "error", "off"} }

// level returns the level of that name, or the default.
func level(name string) hclog.Level { return cmp.Or(hclog.LevelFromString(name), hclog.Debug) }

// sink writes log lines without secrets, one at a time. What a provider says may end on
// a terminal, so that what draws is made visible.
type sink struct {
	redact *redactor
	level  hclog.Level

	// mu guards out.
	mu  sync.Mutex
	out io.Writer
}

// Write takes whole lines: hclog writes each entry at once.
func (s *sink) Write(p []byte) (int, error) {
	var line strings.Builder
	_, _ = text.Terminal(&line).Write([]byte(s.redact.String(string(p)))) // of whole lines, into memory
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.WriteString(s.out, line.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// logger returns the logger of a provider; without a sink it is off.
func (s *sink) logger(name string) hclog.Logger {
	if s == nil {
		return hclog.New(&hclog.LoggerOptions{Level: hclog.Off, Output: io.Discard})
	}
	return hclog.New(&hclog.LoggerOptions{Name: handshake.Prefix + name, Level: s.level, Output: s})
}

// eachLine calls do for each line of r until it ends. Of a line longer than
// maxLine only the beginning is seen.
func eachLine(r io.Reader, redact func(string) string, do func(line string)) {
	lines := bufio.NewReaderSize(r, maxLine)
	for {
		read, err := lines.ReadSlice('\n')
		line := strings.TrimRight(string(read), "\r\n")
		if err == bufio.ErrBufferFull {
			line = shortened(line, redact)
		}
		if len(read) > 0 {
			do(line)
		}
		for err == bufio.ErrBufferFull {
			_, err = lines.ReadSlice('\n')
		}
		if err != nil {
			return
		}
	}
}

// shortened returns a line that was cut, without what may be the beginning of a secret:
// a shorter one than the redactor recognizes.
func shortened(line string, redact func(string) string) string {
	line = redact(line)
	line = line[:max(0, len(line)-minCut)]
	return line[:strings.LastIndexByte(line, ' ')+1] + "... (cut)"
}

// printed logs what a provider prints after its start, which go-plugin hands over
// in pieces.
type printed struct {
	log    hclog.Logger
	redact func(string) string

	// mu guards line.
	mu   sync.Mutex
	line []byte
}

// Write implements io.Writer.
func (w *printed) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range p {
		switch {
		case b != '\n' && len(w.line) <= maxLine:
			w.line = append(w.line, b)
		case b == '\n':
			line := string(w.line)
			if len(w.line) > maxLine {
				line = shortened(line, w.redact)
			}
			w.log.Warn("printed", "line", line)
			w.line = w.line[:0]
		}
	}
	return len(p), nil
}
