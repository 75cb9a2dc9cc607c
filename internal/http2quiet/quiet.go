// Package http2quiet keeps net/http from writing bearer tokens to standard error. With
// http2debug in GODEBUG it logs every header that is sent over HTTP/2, Authorization
// included, and it reads GODEBUG while the program is being initialised: main is too
// late to change it.
//
// A program imports this package for its effect. Go initialises packages whose imports
// are done in the order of their paths (The Go Programming Language Specification,
// Program initialization). This one imports nothing but what net/http needs itself, and
// its path is before net/http and golang.org/x/net/http2, so that its init runs first.
package http2quiet

import (
	"os"
	"strings"
)

const (
	variable = "GODEBUG"
	loud     = "http2debug"
)

func init() {
	value := os.Getenv(variable)
	if !strings.Contains(value, loud) {
		return
	}
	if value = without(value); value == "" {
		_ = os.Unsetenv(variable)
		return
	}
	_ = os.Setenv(variable, value)
}

// without drops the settings with http2debug in them. net/http looks for the text
// anywhere, so that part of another name counts, too.
func without(settings string) string {
	var kept []string
	for setting := range strings.SplitSeq(settings, ",") {
		if !strings.Contains(setting, loud) {
			kept = append(kept, setting)
		}
	}
	return strings.Join(kept, ",")
}
