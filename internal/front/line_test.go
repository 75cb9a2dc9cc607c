package front

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestReadLine(t *testing.T) {
	for text, want := range map[string]struct {
		values  map[string]string
		command string
		full    bool
	}{
		"token":                                         {},
		"--profile work token --format json":            {values: map[string]string{"profile": "work", "format": "json"}},
		"-profile=work token -access=ro --json":         {values: map[string]string{"profile": "work", "access": "ro"}},
		"token --min-ttl 5m -q --no-input":              {values: map[string]string{"min-ttl": "5m"}},
		"exec -- env -i":                                {command: "env -i"},
		"exec env --json -h":                            {command: "env --json -h"},
		"exec --access ro --env A=url -- a --b":         {values: map[string]string{"access": "ro"}, command: "a --b"},
		"--quiet exec --database http://[::1] -- --odd": {values: map[string]string{"database": "http://[::1]"}, command: "--odd"},

		"":                                 {full: true},
		"status":                           {full: true},
		"tokn":                             {full: true},
		"token x":                          {full: true},
		"token -- x":                       {full: true},
		"token --help":                     {full: true},
		"token -h":                         {full: true},
		"help token":                       {full: true},
		"token --debug":                    {full: true},
		"token --generate-bash-completion": {full: true},
		"token --profile":                  {full: true},
		"token --profile --":               {full: true},
		"token --access ro --access rw":    {full: true},
		"token --json=true":                {full: true},
		"token --format= ":                 {full: true},
		"token --min-ttl soon":             {full: true},
		"token --min-ttl -5m":              {full: true},
		"token --env A=url":                {full: true},
		"token exec":                       {full: true},
		"exec":                             {full: true},
		"exec --":                          {full: true},
		"exec --watch HUP -- a":            {full: true},
		"exec --format raw -- a":           {full: true},
		"--access ro token":                {full: true},
	} {
		t.Run(text, func(t *testing.T) {
			args := append([]string{"zen"}, strings.Fields(text)...)
			if text == "token --format= " {
				args = []string{"zen", "token", "--format="}
			}
			l, ok := readLine(args)
			if ok == want.full {
				t.Fatalf("answered here: %v", ok)
			}
			if !want.full && (!maps.Equal(l.value, want.values) || !slices.Equal(l.command, strings.Fields(want.command))) {
				t.Errorf("%v %q", l.value, l.command)
			}
		})
	}
	for text, sql := range map[string]string{
		"db query SELECT": "SELECT", "--profile work db query --json SELECT --access ro": "SELECT", "db query --param 1 --param 2 --timing SELECT": "SELECT",
		"db query -": "", "db query": "", "db query SELECT 1": "", "db query --file f": "", "db query --mode replica SELECT": "", "db query --help SELECT": "",
		"db query -- SELECT": "", "db query --blob /dev/stdin SELECT": "", "db query --create SELECT": "", "db shell SELECT": "", "db": "", "token query SELECT": "", "db query --min-ttl 5m SELECT": "",
	} {
		if l, ok := readLine(append([]string{"zen"}, strings.Fields(text)...)); ok != (sql != "") || ok && l.sql != sql {
			t.Errorf("%q: %v, %q", text, ok, l.sql)
		}
	}
	l, ok := readLine([]string{"zen", "token", "--json", "--min-ttl", "90s"})
	if choice := l.choice(); !ok || !choice.JSON || l.minTTL != 90*time.Second {
		t.Errorf("%+v", l)
	}
	l, ok = readLine([]string{"zen", "exec", "--env", "A=url", "--env", "B=token", "a"})
	if !ok || !slices.Equal(l.env, []string{"A=url", "B=token"}) {
		t.Errorf("%+v", l)
	}
}

// What providers log is zen-full's.
func TestLogIsForFull(t *testing.T) {
	t.Setenv("ZEN_LOG", "debug")
	if _, ok := readLine([]string{"zen", "token"}); ok {
		t.Error("answered here")
	}
}
