package app

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBrowserCommands(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a backslash is part of a path on Windows")
	}
	program := filepath.Join(t.TempDir(), "My Browser")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string][][]string{
		"":                                  nil,
		" : ":                               nil,
		"firefox":                           {{"firefox"}},
		"firefox -P work\t%s":               {{"firefox", "-P", "work", "%s"}},
		"firefox:chromium --app=%s: w3m":    {{"firefox"}, {"chromium", "--app=%s"}, {"w3m"}},
		`'/opt/My Browser/run' --new`:       {{"/opt/My Browser/run", "--new"}},
		`"/opt/My Browser/run" --a="b c"`:   {{"/opt/My Browser/run", "--a=b c"}},
		`/opt/My\ Browser/run --a=\"b`:      {{"/opt/My Browser/run", `--a="b`}},
		`"a\"b\\c\d" 'e\f'`:                 {{`a"b\c\d`, `e\f`}},
		`x "http://127.0.0.1:9/?u=%s":y\:z`: {{"x", "http://127.0.0.1:9/?u=%s"}, {"y:z"}},
		`x ""`:                              {{"x", ""}},
		program + ":w3m":                    {{program}, {"w3m"}},
	} {
		if got, err := browserCommands(value); err != nil || !cmp.Equal(got, want) {
			t.Errorf("browserCommands(%s): %v %s", value, err, cmp.Diff(want, got))
		}
	}
	for _, value := range []string{`"firefox`, `'a b`, `a\`} {
		if got, err := browserCommands(value); err == nil || !strings.Contains(err.Error(), "BROWSER") {
			t.Errorf("browserCommands(%s) = %q, %v, want an error that names BROWSER", value, got, err)
		}
	}
}

// The first browser that opens is used; a missing one is skipped.
func TestBrowserList(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("shell scripts")
	}
	script := filepath.Join(t.TempDir(), "a browser")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho \"$#: $*\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BROWSER", "/nowhere/firefox:'"+script+"' '--a b':false")
	var out strings.Builder
	if err := openBrowser("https://example.test/", &out); err != nil || out.String() != "2: --a b https://example.test/\n" {
		t.Errorf("openBrowser: %v, printed %q", err, out.String())
	}
}
