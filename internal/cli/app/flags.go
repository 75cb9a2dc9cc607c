package app

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
)

func GlobalFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "profile", Usage: "use the profile `NAME`", Category: "Global:"},
		&cli.StringFlag{Name: "config", Usage: "read the configuration from `FILE`", Category: "Global:", TakesFile: true},
		&cli.StringFlag{Name: "ca-file", Usage: "also trust the certificate authorities in `FILE` (PEM)", Category: "Global:", TakesFile: true},
		&cli.BoolFlag{Name: "json", Usage: "answer in JSON", Category: "Global:"},
		&cli.BoolFlag{Name: "no-input", Usage: "never ask and never open a browser (as with CI=true)", Category: "Global:"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print only errors, and what you need to sign in", Category: "Global:"},
		&cli.BoolFlag{Name: "debug", Usage: "show what the providers log, without secrets", Category: "Global:"},
	}
}

// GlobalString returns the value of a global flag, wherever on the line it stands.
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
			name, value, given := strings.Cut(strings.TrimLeft(arg, "-"), "=")
			flag := flagNamed(flags, name)
			switch {
			case flag == nil && name != "help" && name != "h":
				return nil, unknownFlag(strings.Join(path, " "), flags, commands, arg, args[i+1:])
			case flag == nil, !given && !takesValue(flag):
				continue
			case given:
			case i+1 == len(args) || args[i+1] == "--":
				return nil, &provider.Error{Kind: ErrUsage, Message: dashed(name) + " needs a value", Hint: strings.Join(path, " ") + " --help"}
			default:
				i++
				value = args[i]
				late = append(late, value)
			}
			if err := checkValue(flag, dashed(name), value); err != nil {
				return nil, err
			}
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
	case len(words) == 0:
	case words[0] == "help" && len(commands) > 0:
		return helpLine(app, path, commands, words[1:])
	case len(commands) > 0:
		return nil, unknownCommand(strings.Join(path, " "), commands, app.Commands, words[0])
	default:
		out = append(out, "--")
	}
	return append(out, words...), nil
}

// completionLine prepares a line that is to be completed. ok is false if there
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

// TakesValue reports whether arg is one of the flags, and the next word its value.
func TakesValue(flags []cli.Flag, arg string) bool {
	f := flagNamed(flags, strings.TrimLeft(arg, "-"))
	return f != nil && takesValue(f)
}

func takesValue(f cli.Flag) bool {
	_, isBool := f.(*cli.BoolFlag)
	return !isBool
}

// flagNamed returns the flag of that name; nil means none.
func flagNamed(flags []cli.Flag, name string) cli.Flag {
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

// checkValue returns an error that says what a flag takes, where package flag says "parse
// error".
func checkValue(f cli.Flag, name, value string) error {
	var err error
	var what, hint string
	switch f.(type) {
	case *cli.DurationFlag:
		what, hint = "a duration", "a number with its unit, like 5s, 10m or 1h30m"
		_, err = time.ParseDuration(value)
	case *cli.IntFlag, *cli.Int64Flag:
		what, hint = "a whole number", "digits alone, like 10"
		_, err = strconv.Atoi(value)
	case *cli.BoolFlag:
		what, hint = "true or false", "a switch needs no value: write "+name
		_, err = strconv.ParseBool(value)
	}
	if err != nil {
		return &provider.Error{Kind: ErrUsage, Message: fmt.Sprintf("%s %.40q is not %s", name, value, what), Hint: hint}
	}
	return nil
}

// helpLine returns the line that asks the command at path, and the topic below it, for its
// help.
func helpLine(app *cli.App, path []string, commands []*cli.Command, topic []string) ([]string, error) {
	for _, word := range topic {
		next := CommandNamed(commands, word)
		if next == nil {
			return nil, unknownCommand(strings.Join(path, " "), commands, app.Commands, word)
		}
		path, commands = append(path, next.Name), next.Subcommands
	}
	return append(slices.Clone(path), "--help"), nil
}

// CommandNamed returns the command of that name; nil means none.
func CommandNamed(commands []*cli.Command, name string) *cli.Command {
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}
