package host

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/go-hclog"

	"github.com/zen-auth/zen/internal/private"
	"github.com/zen-auth/zen/internal/text"
)

// maxTrace bounds what is kept of the trace of a panic.
const maxTrace = 64 << 10

// errorOutput logs a provider's standard error, line by line: the JSON of hclog and
// Logger with its level, the trace of a panic as an error, all else as debug.
//
// go-plugin could do it, but it panics in the host when "@message" or "@level" of
// such a line is not a string.
type errorOutput struct {
	log       hclog.Logger
	panicking bool
	trace     strings.Builder
}

func (o *errorOutput) line(line string) {
	var entry map[string]any
	if json.Unmarshal([]byte(line), &entry) == nil {
		o.entry(entry)
		return
	}
	o.panicking = o.panicking || strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ")
	if !o.panicking {
		o.log.Debug(line)
		return
	}
	o.log.Error(line)
	if o.trace.Len()+len(line) < maxTrace {
		o.trace.WriteString(line + "\n")
	}
}

func (o *errorOutput) entry(entry map[string]any) {
	level, _ := entry["@level"].(string)
	message, _ := entry["@message"].(string)
	delete(entry, "@level")
	delete(entry, "@message")
	delete(entry, "@timestamp")
	var args []any
	for _, key := range slices.Sorted(maps.Keys(entry)) {
		args = append(args, text.Visible(key), oneLine(entry[key]))
	}
	known := hclog.LevelFromString(level)
	if known == hclog.NoLevel {
		known = hclog.Debug
	}
	o.log.Log(known, text.Visible(message), args...)
}

// oneLine returns a value of an entry whose inner texts can't begin a line of the log. hclog
// sees to the lines of a text by itself.
func oneLine(value any) any {
	switch value.(type) {
	case []any, map[string]any:
		data, err := json.Marshal(value) // a form of JSON that the redactor knows
		if err != nil {
			return err.Error()
		}
		return string(data)
	}
	return value
}

// writeTrace keeps the last trace of a provider: one file each is enough, and
// bounds what a provider that crashes for ever takes of the disk.
func writeTrace(dir, name, trace string) (path string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	path = filepath.Join(dir, name+".txt")
	var shown bytes.Buffer
	_, _ = text.Terminal(&shown).Write([]byte(trace)) // into memory; it is read with cat
	return path, private.Replace(path, shown.Bytes(), 0o600)
}
