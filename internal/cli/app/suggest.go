package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/text"
)

// otherNames maps the words of other tools to zen's commands.
var otherNames = map[string]string{
	"signin": "login", "sign-in": "login", "auth": "login",
	"signout": "logout", "sign-out": "logout", "revoke": "logout",
	"who": "status",
	"run": "exec", "env": "exec",
	"sql": "db query", "execute": "db query", "console": "db shell", "repl": "db shell",
	"account": "profiles list", "accounts": "profiles list", "switch": "profiles use",
	"plugin": "provider list", "plugins": "provider list",
	"gateway": "proxy", "serve": "proxy",
	"up": "dev", "start": "dev",
}

// unknownCommand returns the error for a word that is no command of path, whose commands
// these are; all are the program's.
func unknownCommand(path string, commands, all []*cli.Command, word string) error {
	hint := path + " --help"
	if meant := meantCommands(path, commands, all, word); len(meant) > 0 {
		hint = "did you mean " + strings.Join(meant, " or ") + "?"
	}
	return &provider.Error{Kind: ErrUsage, Message: fmt.Sprintf("unknown command %.40q", word), Hint: hint}
}

// meantCommands returns the lines that a word may stand for: the command of that name
// elsewhere, the word of another tool, or a slip of the finger.
func meantCommands(path string, commands, all []*cli.Command, word string) []string {
	word = strings.ToLower(word)
	program, _, _ := strings.Cut(path, " ")
	if lines := linesOf(program, all, word); len(lines) > 0 {
		return lines
	}
	var names []string
	for _, c := range commands {
		if !c.Hidden {
			names = append(names, c.Names()...)
		}
	}
	if near := text.Nearest(word, names); near != "" {
		return []string{path + " " + near}
	}
	names = append(namesOf(all), slices.Sorted(maps.Keys(otherNames))...)
	return linesOf(program, all, text.Nearest(word, names))
}

// linesOf returns the lines of a name: the commands that are called so, or what otherNames has.
func linesOf(program string, all []*cli.Command, name string) []string {
	if named := commandsNamed(program, all, name); len(named) > 0 {
		return named[:min(3, len(named))]
	}
	if other, ok := otherNames[name]; ok {
		return []string{program + " " + other}
	}
	return nil
}

// namesOf returns the names of commands and of those below them.
func namesOf(commands []*cli.Command) (names []string) {
	for _, c := range commands {
		if !c.Hidden {
			names = append(append(names, c.Names()...), namesOf(c.Subcommands)...)
		}
	}
	return names
}

// commandsNamed returns the paths of all commands of a name below path.
func commandsNamed(path string, commands []*cli.Command, name string) (paths []string) {
	for _, c := range commands {
		if c.Hidden {
			continue
		}
		if c.HasName(name) {
			paths = append(paths, path+" "+c.Name)
		}
		paths = append(paths, commandsNamed(path+" "+c.Name, c.Subcommands, name)...)
	}
	return paths
}

// unknownFlag returns the error for a flag that the command at path doesn't have; next are
// the commands that it would go on with, and rest are the words behind it.
func unknownFlag(path string, flags []cli.Flag, next []*cli.Command, arg string, rest []string) error {
	name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	hint := path + " --help"
	var names []string
	for _, f := range flags {
		for _, n := range f.Names() {
			if len(n) > 1 {
				names = append(names, n)
			}
		}
	}
	// A flag of the command that follows stands behind it.
	for below, commands, i := path, next, 0; i < len(rest); i++ {
		c := CommandNamed(commands, rest[i])
		if c == nil {
			continue // the flag's value
		}
		below, commands = below+" "+c.Name, c.Subcommands
		if flagNamed(c.Flags, name) != nil {
			hint = fmt.Sprintf("it is a flag of %s: write it behind that", below)
			return &provider.Error{Kind: ErrUsage, Message: "unknown flag " + dashed(name), Hint: hint}
		}
	}
	if near := text.Nearest(name, names); near != "" {
		hint = "did you mean " + dashed(near) + "?"
	}
	return &provider.Error{Kind: ErrUsage, Message: "unknown flag " + dashed(name), Hint: hint}
}

// dashed returns a flag as people write it.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return fmt.Sprintf("--%.40s", name)
}
