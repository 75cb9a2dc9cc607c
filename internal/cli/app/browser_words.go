package app

import (
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/zen-auth/zen/core/provider"
)

// browserCommands returns the command lines in the value of BROWSER, to be tried in order:
// they are separated as the entries of PATH are, and their words by blanks, with quotes
// and backslashes as a shell has them (on Windows a backslash is a part of a path). An
// entry that as a whole is a program's path, blanks and all, is that program.
func browserCommands(value string) (commands [][]string, err error) {
	var words []string
	var word strings.Builder
	var quote rune // 0 outside of quotes
	began, escaped, start := false, false, 0
	endWord := func() {
		if began {
			words = append(words, word.String())
		}
		word.Reset()
		began = false
	}
	endCommand := func(end int) {
		endWord()
		if whole := strings.TrimSpace(value[start:end]); len(words) > 1 && isProgram(whole) {
			words = []string{whole}
		}
		if len(words) > 0 && words[0] != "" {
			commands = append(commands, words)
		}
		words = nil
	}
	for i, c := range value {
		switch {
		case escaped:
			escaped = false
			if quote == '"' && !strings.ContainsRune("\"\\$`", c) {
				word.WriteByte('\\') // a shell keeps it there
			}
			word.WriteRune(c)
		case c == '\\' && quote != '\'' && runtime.GOOS != "windows":
			began, escaped = true, true
		case c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '"' || c == '\'':
			began, quote = true, c
		case c == ' ' || c == '\t' || c == '\n':
			endWord()
		case c == os.PathListSeparator:
			endCommand(i)
			start = i + 1
		default:
			began = true
			word.WriteRune(c)
		}
	}
	if quote != 0 || escaped {
		return nil, &provider.Error{Kind: provider.ErrConfig, Message: "the value of BROWSER ends within a quotation", Hint: "close the quotes, or unset BROWSER"}
	}
	endCommand(len(value))
	return commands, nil
}

// isProgram reports whether a path, with its blanks, is a program's.
func isProgram(path string) bool {
	if !strings.ContainsRune(path, os.PathSeparator) {
		return false
	}
	_, err := exec.LookPath(path)
	return err == nil
}
