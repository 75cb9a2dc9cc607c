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
	return hclog.New(&hclog.LoggerOptions{Name: prefix + name, Level: hclog.Trace, Output: s})
}

// eachLine calls do for each line of r until it ends. Of a line longer than
// maxLine only the beginning is seen, so that no secret comes in two pieces.
func eachLine(r io.Reader, do func(line string)) {
	lines := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			do(strings.TrimRight(string(line), "\r\n"))
		}
		for err == bufio.ErrBufferFull {
			_, err = lines.ReadSlice('\n')
		}
		if err != nil {
			return
		}
	}
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
