package app

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
)

func GlobalFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "profile", Usage: "use the profile `NAME`", Category: "Global:"},
		&cli.StringFlag{Name: "config", Usage: "read the configuration from `FILE`", Category: "Global:", TakesFile: true},
		&cli.BoolFlag{Name: "json", Usage: "answer in JSON", Category: "Global:"},
		&cli.BoolFlag{Name: "no-input", Usage: "never ask and never open a browser (as with CI=true)", Category: "Global:"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "say nothing but errors, and what a sign-in needs", Category: "Global:"},
		&cli.BoolFlag{Name: "debug", Usage: "show what the providers log, without secrets", Category: "Global:"},
	}
}

// GlobalString is the value of a global flag, wherever on the line it stands.
func GlobalString(c *cli.Context, name string) string {
	for _, level := range c.Lineage() {
		if level.IsSet(name) {
			return level.String(name)
		}
	}
	return ""
}

// GlobalBool is globalString for switches.
func GlobalBool(c *cli.Context, name string) bool {
	for _, level := range c.Lineage() {
		if level.IsSet(name) {
			return level.Bool(name)
		}
	}
	return false
}

// Completing ends a line that a shell's completion script asks about.
const Completing = "--generate-bash-completion"

// FlagsFirst puts the flags of the line before its arguments, as package flag
// wants them: people write zen db query SQL --json. What follows "--" stays as it
// is, and so does what follows the name of a command to run: its flags are its own, as
// behind env(1). An argument with a blank in it is SQL, also where it begins with a
// comment.
func FlagsFirst(app *cli.App, args []string) ([]string, error) {
	out, path := args[:min(1, len(args))], []string{app.Name}
	flags, commands, runs := app.Flags, app.Commands, false
	var late, words []string
	for i := len(out); i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return append(append(append(out[:len(out):len(out)], late...), words...), args[i:]...), nil
		case len(arg) > 1 && arg[0] == '-' && !isNumber(arg) && !strings.ContainsAny(arg, " \t\n") || strings.HasPrefix(arg, "--") && strings.Contains(strings.Fields(arg)[0], "="):
			late = append(late, arg)
			if !TakesValue(flags, arg) {
				continue
			}
			if i++; i == len(args) || args[i] == "--" {
				return nil, &provider.Error{Kind: ErrUsage, Message: arg + " needs a value", Hint: strings.Join(path, " ") + " --help"}
			}
			late = append(late, args[i])
		default:
			if next := CommandNamed(commands, arg); next != nil && len(words) == 0 {
				out = append(append(out[:len(out):len(out)], late...), arg)
				path, late, flags, commands = append(path, arg), nil, next.Flags, next.Subcommands
				runs = strings.Contains(next.ArgsUsage, "-- COMMAND") && len(commands) == 0
				continue
			}
			if runs {
				return append(append(append(out[:len(out):len(out)], late...), "--"), args[i:]...), nil
			}
			words = append(words, arg)
		}
	}
	out = append(out[:len(out):len(out)], late...)
	switch {
	case len(words) == 0 || words[0] == "help":
	case len(commands) > 0:
		return nil, unknownCommand(strings.Join(path, " "), commands, words[0])
	default:
		out = append(out, "--")
	}
	return append(out, words...), nil
}

// completionLine prepares a line that is to be completed. ok is false where there
// is nothing to offer: package cli takes a line with "--" in it for a real one, and
// would run it.
func completionLine(args []string) (line []string, ok bool) {
	switch n := len(args); slices.Index(args, "--") {
	case -1:
		return args, true
	case n - 2: // a flag begins
		return append(slices.Clone(args[:n-2]), "-", args[n-1]), true
	}
	return nil, false
}

func isNumber(arg string) bool { return strings.Trim(arg[1:], "0123456789.") == "" }

func TakesValue(flags []cli.Flag, arg string) bool {
	name := strings.TrimLeft(arg, "-")
	if strings.Contains(name, "=") {
		return false
	}
	for _, f := range flags {
		for _, known := range f.Names() {
			if known == name {
				_, isBool := f.(*cli.BoolFlag)
				return !isBool
			}
		}
	}
	return false
}

func CommandNamed(commands []*cli.Command, name string) *cli.Command {
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}
