package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// redrawn is what a line editor shows anew, and where it goes then.
var redrawn = regexp.MustCompile(`(?m)^.*\x1b\[1G\x1b\[0K|\x1b\[\d+G|\r`)

// Blocks in which a person types at a terminal: what is shown, what is typed included, is
// what the page has.
func TestPagesAtATerminal(t *testing.T) {
	t.Parallel()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	blocks := pageBlocks(t)
	type answer struct{ to, is string }
	for _, c := range []struct {
		page, first, before string
		answers             []answer // in their order
		last                string   // is shown at the end
	}{
		{
			"docs/database.md", "zen db shell", users,
			[]answer{{"app> ", "SELECT count(*)"}, {"...> ", "FROM users;"}, {"app> ", "BEGIN;"}}, "app*> ",
		},
		{
			"docs/clerk.md", "zen login --provider clerk\nclerk: signing in by email", "zen config unset providers.clerk.bridge_url; zen config unset providers.clerk.oauth_client_id",
			[]answer{{"E-mail address of your account at", "alice@example.test"}, {"Code that was sent to", ""}}, "as alice@example.test.\r\n",
		},
		{
			"docs/cli.md", "zen login --provider clerk\nThis is an SSH session", "unset BROWSER; export SSH_CONNECTION=here",
			nil, "whole address here:",
		},
	} {
		s := find(t, blocks, c.page, c.first)
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			line, want, _ := strings.Cut(s.text, "\n")
			cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "zen"), "dev", "--", "sh", "-c", c.before+"\necho BLOCK\n"+strings.TrimPrefix(line, "$ "))
			cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), "BROWSER=zen --quiet dev browse --user alice", "CI=", "TERM=xterm", "NO_COLOR=1")
			term := startTerminal(t, cmd)
			term.sees("BLOCK")
			for _, a := range c.answers {
				term.sees(a.to)
				if a.is == "" {
					_, url, _ := strings.Cut(term.text(), "whose page is ")
					url, _, _ = strings.Cut(url, "/: ")
					mail := exec.CommandContext(t.Context(), filepath.Join(bin, "zen"), "dev", "mail", "alice@example.test")
					mail.Env = append(os.Environ(), "ZEN_DEV_URL="+url)
					code, err := mail.Output()
					if err != nil {
						t.Fatal(err)
					}
					a.is = strings.TrimSpace(string(code))
				}
				term.types(a.is + "\r")
			}
			term.sees(c.last)
			_, got, _ := strings.Cut(redrawn.ReplaceAllString(term.text(), ""), "BLOCK\n")
			s.compare(t, want, strings.TrimRight(got, " \n")+"\n")
		})
	}
}
