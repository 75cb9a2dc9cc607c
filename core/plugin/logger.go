package plugin

import (
	"log/slog"
	"os"
	"strings"
)

// standardError is the process's own: go-plugin puts another in its place.
var standardError = os.Stderr

// Logger returns the logger of a provider. zen shows what it writes at --debug,
// redacted; the levels stay.
func Logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(standardError, &slog.HandlerOptions{
		Level: slog.LevelDebug, ReplaceAttr: likeHclog,
	}))
}

// likeHclog gives an entry the keys of hclog's JSON, which go-plugin defined as
// what hosts read.
func likeHclog(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.TimeKey:
		return slog.String("@timestamp", a.Value.Time().Format("2006-01-02T15:04:05.000000Z07:00"))
	case slog.LevelKey:
		return slog.String("@level", strings.ToLower(a.Value.String()))
	case slog.MessageKey:
		a.Key = "@message"
	}
	return a
}
