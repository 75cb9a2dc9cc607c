package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/zen-auth/zen/internal/keyring/keyringtest"
)

// redrawn matches a redraw of the line editor, and the cursor movement after it.
var redrawn = regexp.MustCompile(`(?m)^.*\x1b\[1G\x1b\[0K|\x1b\[\d+G|\r`)

// Blocks about a keyring that is present first and missing later.
func TestPagesBesideAKeyring(t *testing.T) {
	t.Parallel()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	bus := keyringtest.NewBus(t, t.TempDir(), false)
	bus.StartKeyring("pass")
	blocks := pageBlocks(t)
	script := "exec 2>&1\nunset ZEN_STORAGE\nexport ZEN_KEYRING_TIMEOUT=30s\nzen login --provider platformtoken --storage file >/dev/null\n"
	var found []*shown
	var wants []string
	for _, b := range []typed{
		{"zen login --storage keyring", "", nil},
		{"zen token", "unset DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR", nil},
	} {
		s := find(t, blocks, "docs/storage.md", b.first)
		run, want := s.script(nil)
		script += b.before + "\necho; echo BLOCK\n" + run
		found, wants = append(found, s), append(wants, want)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "zen"), "dev", "--", "sh", "-c", script)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "DBUS_SESSION_BUS_ADDRESS="+bus.Address, "CI=")
	out, _ := cmd.Output() // the last command fails, as the page shows
	printed := strings.Split(string(out), "\nBLOCK\n")[1:]
	if len(printed) != len(found) {
		t.Fatalf("%d of %d blocks ran:\n%s", len(printed), len(found), out)
	}
	for i, s := range found {
		s.compare(t, wants[i], strings.TrimRight(printed[i], "\n")+"\n")
	}
}

// Blocks with input at a terminal: the screen, including what is typed, matches the page.
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
		last                string   // expected at the end
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
