package plugin

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
)

// sink writes log lines without secrets, one at a time.
type sink struct {
	redact *redactor

	// mu guards out.
	mu  sync.Mutex
	out io.Writer
}

// Write takes whole lines: hclog writes each entry at once.
func (s *sink) Write(p []byte) (int, error) {
	line := s.redact.String(string(p))
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.WriteString(s.out, line); err != nil {
		return 0, err
	}
	return len(p), nil
}

// logger returns the logger of a provider; without a sink it is off.
func (s *sink) logger(name string) hclog.Logger {
	if s == nil {
		return hclog.New(&hclog.LoggerOptions{Level: hclog.Off, Output: io.Discard})
	}
	return hclog.New(&hclog.LoggerOptions{Name: prefix + name, Level: hclog.Debug, Output: s})
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

// shortened is a line that was cut, without what may be the beginning of a secret:
// a shorter one than the redactor recognizes.
func shortened(line string, redact func(string) string) string {
	line = redact(line)
	line = line[:max(0, len(line)-minCut)]
	return line[:strings.LastIndexByte(line, ' ')+1] + "... (cut)"
}

// logErrorOutput returns what logs a provider's standard error, line by line: the
// JSON of hclog and Logger with its level, the trace of a panic as an error, all
// else as debug.
//
// go-plugin could do it, but it panics in the host when "@message" or "@level" of
// such a line is not a string.
func logErrorOutput(log hclog.Logger) func(line string) {
	panicking := false
	return func(line string) {
		var entry map[string]any
		if json.Unmarshal([]byte(line), &entry) == nil {
			level, _ := entry["@level"].(string)
			message, _ := entry["@message"].(string)
			delete(entry, "@level")
			delete(entry, "@message")
			delete(entry, "@timestamp")
			var args []any
			for _, key := range slices.Sorted(maps.Keys(entry)) {
				args = append(args, key, entry[key])
			}
			known := hclog.LevelFromString(level)
			if known == hclog.NoLevel {
				known = hclog.Debug
			}
			log.Log(known, message, args...)
			return
		}
		panicking = panicking || strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ")
		if panicking {
			log.Error(line)
		} else {
			log.Debug(line)
		}
	}
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
