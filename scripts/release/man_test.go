package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/internal/cli/app"
)

// TestManEscapes wants text to arrive as it is: roff takes a line that starts with a dot
// or a quote for a command, "-" for a hyphen and "\" for the start of one.
func TestManEscapes(t *testing.T) {
	document := app.HelpDocument{Usage: "a 'b' \\n", Commands: []app.HelpCommand{{
		Name: "do", Aliases: []string{"d"}, Usage: "does it", Arguments: "WHAT",
		Description: ".dot\n'quote\n\n   indented --as-is\n\nafter\n\nzen do --min-ttl 5s",
		Flags:       []app.HelpFlag{{Name: "min-ttl", Type: "duration", Value: "D", Usage: "at least \"D\"", Default: "1m"}},
	}}}
	help, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := manPages(help, "v1.2.3", time.Unix(0, 0).UTC())
	if err != nil {
		t.Fatal(err)
	}
	want := `.TH "ZEN-DO" "1" "1970-01-01" "zen v1.2.3" "zen"
.SH "NAME"
zen-do \- does it
.SH "SYNOPSIS"
\fBzen do\fR [options] \fIWHAT\fR
.SH "ZEN DO"
\&.dot
\(aqquote
.PP
.nf
   indented \-\-as\-is
.fi
.PP
after
.PP
.nf
zen do \-\-min\-ttl 5s
.fi
.PP
Also: d
.TP
\fB\-\-min\-ttl\fR \fID\fR
at least "D" (default: 1m)
.SH "SEE ALSO"
\fBzen\fR(1), whose options stand before or after any command
`
	if got := pages["zen-do.1"]; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := pages["zen.1"]; !strings.Contains(got, `zen \- a \(aqb\(aq \en`) {
		t.Errorf("got\n%s", got)
	}
}

// TestManPages has every page of this zen read by the formatters that systems have.
func TestManPages(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the whole zen: make test-all does")
	}
	help, err := helpOf(t.Context(), "../..")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := manPages(help, "v1.2.3", time.Unix(0, 0).UTC())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, wanted := range []string{"zen.1", "zen-login.1", "zen-db.1", "zen-provider.1"} {
		if pages[wanted] == "" {
			t.Errorf("no page %s", wanted)
		}
	}
	for _, lint := range [][]string{{"mandoc", "-Tlint", "-Wwarning"}, {"man", "--warnings=w", "-E", "UTF-8", "-l", "-Tutf8", "-Z"}} {
		if _, err := exec.LookPath(lint[0]); err != nil {
			if os.Getenv("CI") != "" {
				t.Errorf("%s is missing: scripts/install-test-tools.sh", lint[0])
			}
			t.Logf("NOT CHECKED: %s is missing", lint[0])
			continue
		}
		for name := range pages {
			cmd := exec.Command(lint[0], append(lint[1:len(lint):len(lint)], filepath.Join(dir, name))...)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if said := stderr.String(); err != nil || said != "" || lint[0] == "mandoc" && len(out) > 0 {
				t.Errorf("%s %s: %v\n%s", lint[0], name, err, said+string(out))
			}
		}
	}
}
