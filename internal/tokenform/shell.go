package tokenform

import (
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// ShellNames are the shells that --format env writes for.
var ShellNames = []string{"sh", "fish", "powershell"}

// The variables that carry a token: the names of Turso's own documentation, and
// when the token ends (RFC 3339).
const (
	envURL       = "TURSO_DATABASE_URL"
	envToken     = "TURSO_AUTH_TOKEN"
	envExpires   = "TURSO_AUTH_TOKEN_EXPIRES_AT"
	EnvTokenFile = "TURSO_AUTH_TOKEN_FILE"
)

// variable is one of an environment. An empty value means that it is not to be set.
type variable struct{ name, value string }

// tokenEnvironment returns a token as variables.
func tokenEnvironment(url string, t provider.Token) []variable {
	return []variable{{envURL, url}, {envToken, t.Value.Reveal()}, {envExpires, expiryText(t)}}
}

// expiryText is "" for a token without an end.
func expiryText(t provider.Token) string {
	if t.Expires.IsZero() {
		return ""
	}
	return t.Expires.UTC().Format(time.RFC3339)
}

// shellOr returns the shell that was asked for, or the one that the variable SHELL
// names, or the system's own. csh has no place in shellNames: it isn't sh.
func shellOr(asked, variable string) string {
	if asked != "" {
		return asked
	}
	name := strings.TrimSuffix(path.Base(strings.ReplaceAll(variable, `\`, "/")), ".exe")
	switch {
	case variable == "" && runtime.GOOS == "windows", name == "pwsh":
		return "powershell"
	case name == "fish", name == "powershell", name == "csh", name == "tcsh":
		return name
	}
	return "sh"
}

// shellText returns the text from which a shell reads these variables, and nothing else: also a
// variable of before goes that has no value now.
func shellText(shell string, variables []variable) string {
	var b strings.Builder
	for _, v := range variables {
		set, unset := "export "+v.name+"=", "unset "+v.name
		switch shell {
		case "fish":
			set, unset = "set -gx "+v.name+" ", "set -e "+v.name
		case "powershell":
			set, unset = "$env:"+v.name+" = ", "Remove-Item -ErrorAction Ignore Env:"+v.name
		}
		if v.value == "" {
			b.WriteString(unset + "\n")
		} else {
			b.WriteString(set + quoted(shell, v.value) + "\n")
		}
	}
	return b.String()
}

// ShellLine returns the line that sets a variable in the shell that a value of the variable
// SHELL names, and in sh where it can't be written for that one.
func ShellLine(shell, name, value string) string {
	shell = shellOr("", shell)
	if !slices.Contains(ShellNames, shell) {
		shell = "sh"
	}
	return shellText(shell, []variable{{name, value}})
}

// quoted is text as one word of the shell's, which expands nothing in it.
func quoted(shell, text string) string {
	switch shell {
	case "fish":
		text = strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text)
	case "powershell":
		// These four end a string, too (about_Quoting_Rules).
		text = strings.NewReplacer("'", "''", "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛").Replace(text)
	default:
		text = strings.ReplaceAll(text, `'`, `'\''`)
	}
	return "'" + text + "'"
}
