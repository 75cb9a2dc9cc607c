package app

import (
	"io"
	"strings"

	"github.com/urfave/cli/v2"
)

// HelpDocument is the answer of zen --help-json: the whole command line, for programs.
type HelpDocument struct {
	SchemaVersion int    `json:"schema_version"`
	Name          string `json:"name"`
	Usage         string `json:"usage"`
	Description   string `json:"description"`
	// Flags stand before or after any command.
	Flags    []HelpFlag    `json:"global_flags"`
	Commands []HelpCommand `json:"commands"`
}

// HelpCommand is a command in it.
type HelpCommand struct {
	Name        string   `json:"name"`
	Aliases     []string `json:"aliases,omitempty"`
	Usage       string   `json:"usage"`
	Arguments   string   `json:"arguments,omitempty"`
	Description string   `json:"description,omitempty"`
	// Flags are the flags of the command alone.
	Flags    []HelpFlag    `json:"flags,omitempty"`
	Commands []HelpCommand `json:"commands,omitempty"`
}

// HelpFlag is an option in it.
type HelpFlag struct {
	Name    string   `json:"name"`
	Aliases []string `json:"aliases,omitempty"`
	Usage   string   `json:"usage"`
	// Type is bool, string, strings (may be given again), int or duration.
	Type string `json:"type"`
	// Value is the help's name for the value, Default the value where nothing is said.
	Value   string `json:"value,omitempty"`
	Default string `json:"default,omitempty"`
}

// writeHelp writes a's command line as one JSON document. What the help hides isn't in
// it.
func writeHelp(w io.Writer, a *cli.App) error {
	global := GlobalFlags()
	return WriteJSON(w, HelpDocument{
		SchemaVersion, a.Name, a.Usage, a.Description, helpFlags(global, nil), helpCommands(a.Commands, global),
	})
}

func helpCommands(commands []*cli.Command, global []cli.Flag) []HelpCommand {
	var all []HelpCommand
	for _, c := range commands {
		if c.Hidden {
			continue
		}
		all = append(all, HelpCommand{
			c.Name, c.Aliases, c.Usage, c.ArgsUsage, dedent(c.Description),
			helpFlags(c.Flags, global), helpCommands(c.Subcommands, global),
		})
	}
	return all
}

// dedent removes the indentation of a description from each line.
func dedent(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "   ")
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// helpFlags returns the flags that are not in without.
func helpFlags(flags, without []cli.Flag) []HelpFlag {
	var all []HelpFlag
	for _, f := range flags {
		names := f.Names()
		hidden, hides := f.(cli.VisibleFlag)
		if hides && !hidden.IsVisible() || flagNamed(without, names[0]) != nil {
			continue
		}
		one := HelpFlag{Name: names[0], Aliases: names[1:], Type: flagType(f)}
		if d, ok := f.(cli.DocGenerationFlag); ok {
			one.Usage = strings.ReplaceAll(d.GetUsage(), "`", "")
			if _, rest, ok := strings.Cut(d.GetUsage(), "`"); ok {
				one.Value, _, _ = strings.Cut(rest, "`")
			}
			if one.Type != "bool" {
				one.Default = strings.Trim(d.GetDefaultText(), `"`)
			}
		}
		all = append(all, one)
	}
	return all
}

// flagType returns the word for what a flag takes; "" for an unknown kind.
func flagType(f cli.Flag) string {
	switch f.(type) {
	case *cli.BoolFlag:
		return "bool"
	case *cli.StringFlag:
		return "string"
	case *cli.StringSliceFlag, *cli.GenericFlag: // zen's own kinds all collect
		return "strings"
	case *cli.IntFlag, *cli.Int64Flag:
		return "int"
	case *cli.DurationFlag:
		return "duration"
	}
	return ""
}
