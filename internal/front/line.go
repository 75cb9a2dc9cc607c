package front

import (
	"os"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/internal/tokenform"
)

// line is a line of zen token, zen exec or zen db query that a good stored token may answer.
type line struct {
	// value are the flags that take one, by name; switched are those that are switches.
	value    map[string]string
	switched map[string]bool
	env      []string
	minTTL   time.Duration
	// command is the command of zen exec, sql the SQL of zen db query; without either it is zen
	// token.
	command []string
	sql     string
}

// The flags that are understood here, and whether they take a value. Any other one, one
// that is given twice, or a value that is empty, is zen-full's.
var (
	globalFlags = map[string]bool{"profile": true, "config": true, "json": false, "no-input": false, "quiet": false, "q": false}
	tokenFlags  = map[string]bool{"access": true, "database": true, "min-ttl": true, "format": true, "shell": true}
	execFlags   = map[string]bool{"access": true, "database": true, "min-ttl": true, "env": true}
	// Those of zen db query are read again by its program, and by zen-full after it where the
	// token is refused: a file of --blob may be one that is read once alone, as /dev/stdin.
	queryFlags = map[string]bool{"access": true, "database": true, "format": true, "param": true, "text": true, "timing": false}
)

// readLine reads a line; ok is false if zen-full has to.
func readLine(args []string) (l line, ok bool) {
	if os.Getenv("ZEN_LOG") != "" || os.Getenv("ZEN_LOG_PROVIDER") != "" {
		return l, false // providers' logs are zen-full's, and so is what is wrong with these
	}
	l = line{value: map[string]string{}, switched: map[string]bool{}}
	verb, own := "", map[string]bool(nil)
	for i := 1; i < len(args); i++ {
		arg := args[i]
		switch {
		case verb == "" && (arg == "token" || arg == "exec"):
			verb, own = arg, map[string]map[string]bool{"token": tokenFlags, "exec": execFlags}[arg]
			continue
		case verb == "" && arg == "db" && i+1 < len(args) && args[i+1] == "query":
			i, verb, own = i+1, arg, queryFlags
			continue
		case verb == "db" && l.sql == "" && arg != "" && arg[0] != '-':
			l.sql = arg
			continue
		case verb == "exec" && arg == "--":
			return l.withCommand(args[i+1:])
		case verb == "exec" && !strings.HasPrefix(arg, "-"):
			return l.withCommand(args[i:])
		case len(arg) < 2 || arg[0] != '-':
			return l, false
		}
		name, value, given := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
		takes, known := globalFlags[name]
		if !known {
			takes, known = own[name]
		}
		if !known || given && !takes {
			return l, false
		}
		if takes && !given {
			if i++; i == len(args) {
				return l, false
			}
			value = args[i]
		}
		if !l.set(name, value, takes) {
			return l, false
		}
	}
	return l, verb == "token" || verb == "db" && l.sql != ""
}

func (l *line) set(name, value string, takes bool) bool {
	if !takes {
		l.switched[name] = true
		return true
	}
	if value == "" || value == "--" {
		return false
	}
	switch name {
	case "env":
		l.env = append(l.env, value)
		return true
	case "param", "text":
		return true
	}
	if _, twice := l.value[name]; twice {
		return false
	}
	l.value[name] = value
	if name == "min-ttl" {
		var err error
		l.minTTL, err = time.ParseDuration(value)
		return err == nil && l.minTTL >= 0
	}
	return true
}

func (l line) withCommand(command []string) (line, bool) {
	l.command = slices.Clone(command)
	return l, len(command) > 0 && command[0] != ""
}

// choice returns the form that the line asks for.
func (l line) choice() tokenform.Choice {
	return tokenform.Choice{Format: l.value["format"], Shell: l.value["shell"], JSON: l.switched["json"], Getenv: os.Getenv}
}
