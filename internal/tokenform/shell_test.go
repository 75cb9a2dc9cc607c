package tokenform

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// nasty are values in which a shell could find something to do.
var nasty = []string{
	"plain", "a b", "it's", `"double"`, `back\slash`, `\'`, `\\`, "$HOME ${HOME} $(id) `id`", "a;b|c&d>e", "*?[x]~", "!event !!",
	"line\nbreak", "tab\there", "--flag", "%PATH%", "‘typographic’ ‚quotes‛", "{a,b}", "end\\", "ünïcode €", "#no comment",
}

// Real shells read what is written for them, and nothing else happens.
func TestShellText(t *testing.T) {
	for _, shell := range []struct{ format, command, print string }{
		{"sh", "sh", `printf "%s\0" "$ZEN_A" "${ZEN_B-unset}"`},
		{"sh", "bash", `printf "%s\0" "$ZEN_A" "${ZEN_B-unset}"`},
		{"sh", "zsh", `printf "%s\0" "$ZEN_A" "${ZEN_B-unset}"`},
		{"fish", "fish", `printf "%s\0" "$ZEN_A"; set -q ZEN_B; and printf "%s\0" "$ZEN_B"; or printf "unset\0"`},
		{"powershell", "pwsh", `[Console]::Out.Write($env:ZEN_A + [char]0 + $(if (Test-Path Env:ZEN_B) { $env:ZEN_B } else { "unset" }) + [char]0)`},
	} {
		t.Run(shell.command, func(t *testing.T) {
			if _, err := exec.LookPath(shell.command); err != nil {
				if shell.command == "fish" && os.Getenv("CI") == "true" {
					t.Fatal("fish is missing. scripts/install-test-tools.sh installs it.")
				}
				t.Skipf("SKIPPED: %s is missing, so nobody reads what is written for it. scripts/install-test-tools.sh installs fish.", shell.command)
			}
			t.Parallel()
			for _, value := range nasty {
				script := shellText(shell.format, []variable{{"ZEN_A", value}, {"ZEN_B", ""}}) + shell.print
				cmd := exec.CommandContext(t.Context(), shell.command, "-c", script)
				cmd.Env = append(os.Environ(), "ZEN_B=of before", "HOME="+t.TempDir())
				cmd.WaitDelay = 5 * time.Second
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				out, err := cmd.Output()
				if got, want := string(out), value+"\x00unset\x00"; err != nil || got != want {
					t.Errorf("%q became %q (%v, %s)", value, got, err, stderr.String())
				}
			}
		})
	}
}

func TestShellOr(t *testing.T) {
	for variable, want := range map[string]string{
		"/bin/bash": "sh", "/usr/bin/zsh": "sh", "/usr/local/bin/fish": "fish", "/usr/bin/pwsh": "powershell",
		`C:\Program Files\PowerShell\7\pwsh.exe`: "powershell", `C:\Program Files\Git\usr\bin\bash.exe`: "sh", "/bin/tcsh": "tcsh", "/bin/dash": "sh",
	} {
		if got := shellOr("", variable); got != want {
			t.Errorf("SHELL=%s: %s, want %s", variable, got, want)
		}
	}
	if got := shellOr("fish", "/bin/bash"); got != "fish" {
		t.Errorf("--shell fish: %s", got)
	}
}

func FuzzQuoted(f *testing.F) {
	for _, value := range nasty {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		// In sh a quote ends the string, and nothing else does.
		rest, ok := strings.CutPrefix(quoted("sh", value), "'")
		if !ok {
			t.Fatal("no opening quote")
		}
		got := strings.ReplaceAll(strings.TrimSuffix(rest, "'"), `'\''`, "\x00")
		if strings.Contains(got, "'") || strings.ReplaceAll(got, "\x00", "'") != strings.ReplaceAll(value, "\x00", "'") {
			t.Errorf("%q became %q", value, got)
		}
	})
}
