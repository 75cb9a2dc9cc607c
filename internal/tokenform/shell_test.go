package tokenform

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// nasty are values with characters that shells interpret.
var nasty = []string{
	"plain", "a b", "it's", `"double"`, `back\slash`, `\'`, `\\`, "$HOME ${HOME} $(id) `id`", "a;b|c&d>e", "*?[x]~", "!event !!",
	"line\nbreak", "tab\there", "--flag", "%PATH%", "‘typographic’ ‚quotes‛", "{a,b}", "end\\", "ünïcode €", "#no comment",
}

// Real shells read the quoted values unchanged, without side effects.
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
				t.Skipf("SKIPPED: %s is missing, so its output is not tested. scripts/install-test-tools.sh installs fish.", shell.command)
			}
			t.Parallel()
			for _, value := range nasty {
				script := shellText(shell.format, []variable{{"ZEN_A", value}, {"ZEN_B", ""}}) + shell.print
				cmd := exec.CommandContext(t.Context(), shell.command, "-c", script)
				cmd.Env = append(os.Environ(), "ZEN_B=inherited", "HOME="+t.TempDir())
				cmd.WaitDelay = time.Minute
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

// asPowerShell reads lines that set and remove variables the way PowerShell documents it: a
// string in single quotes is not expanded, may have several lines, and contains a quote as
// two (about_Quoting_Rules). Typographic quotes count as quotes, too; which ones, and that
// the second of two is kept, is from its tokenizer (IsSingleQuote and ScanStringLiteral).
// Anything else fails the test. It stands in for PowerShell where there is none.
func asPowerShell(t *testing.T, lines string) map[string]string {
	t.Helper()
	variables := make(map[string]string)
	for lines != "" {
		if name, removes := strings.CutPrefix(lines, "Remove-Item -ErrorAction Ignore Env:"); removes {
			name, rest, _ := strings.Cut(name, "\n")
			variables[name] = "unset"
			lines = rest
			continue
		}
		name, rest, ok := strings.Cut(strings.TrimPrefix(lines, "$env:"), " = '")
		if !ok || !strings.HasPrefix(lines, "$env:") || strings.ContainsFunc(name, func(r rune) bool { return r != '_' && (r < 'A' || r > 'Z') }) {
			t.Fatalf("not an assignment: %q", lines)
		}
		var value strings.Builder
		quote := func(r rune) bool { return strings.ContainsRune("'\u2018\u2019\u201a\u201b", r) }
		runes := []rune(rest)
		i := 0
		for ; i < len(runes); i++ {
			if quote(runes[i]) {
				if i+1 == len(runes) || !quote(runes[i+1]) {
					break
				}
				i++
			}
			value.WriteRune(runes[i])
		}
		if i+1 >= len(runes) || runes[i+1] != '\n' {
			t.Fatalf("text after the string, or a string without an end: %q", lines)
		}
		variables[name] = value.String()
		lines = string(runes[i+2:])
	}
	return variables
}

// TestShellTextByTheRulesOfPowerShell is TestShellText without a PowerShell.
func TestShellTextByTheRulesOfPowerShell(t *testing.T) {
	for _, value := range append(nasty, "'", "''", "it''s", "‘’‚‛'", "’; Remove-Item *; ’", "`$(id)`n`0", "@'\n'@", "$env:PATH", "{{}}", "a,b", "--%") {
		got := asPowerShell(t, shellText("powershell", []variable{{"ZEN_A", value}, {"ZEN_B", ""}, {"ZEN_C", "after"}}))
		if got["ZEN_A"] != value || got["ZEN_B"] != "unset" || got["ZEN_C"] != "after" || len(got) != 3 {
			t.Errorf("%q became %q", value, got)
		}
	}
}

func TestShellLine(t *testing.T) {
	for shell, want := range map[string]string{
		"/bin/bash": "export ZEN_A='it'\\''s'\n", "/usr/bin/fish": "set -gx ZEN_A 'it\\'s'\n", "/usr/bin/pwsh": "$env:ZEN_A = 'it''s'\n",
		"/bin/tcsh": "export ZEN_A='it'\\''s'\n",
	} {
		if got := ShellLine(shell, "ZEN_A", "it's"); got != want {
			t.Errorf("SHELL=%s: %q, want %q", shell, got, want)
		}
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
		if utf8.ValidString(value) && value != "" {
			if got := asPowerShell(t, shellText("powershell", []variable{{"ZEN_A", value}})); got["ZEN_A"] != value || len(got) != 1 {
				t.Errorf("%q became %q in PowerShell", value, got)
			}
		}
		// In sh, only a quote ends the string.
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
