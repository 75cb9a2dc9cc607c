package dev

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/text"
)

func devFaultCommand() *cli.Command {
	return &cli.Command{
		Name:      "fault",
		Usage:     "list the faults, or show or switch one of them",
		ArgsUsage: "[NAME [on|off]]",
		Flags:     []cli.Flag{&cli.StringFlag{Name: "url", Usage: "use the stack at `URL`", EnvVars: []string{"ZEN_DEV_URL"}}},
		Action: func(c *cli.Context) error {
			admin := devstack.Admin{URL: c.String("url")}
			if admin.URL == "" {
				return app.Usage(c, "no stack: run this inside of zen dev, or name one with --url")
			}
			var states []devstack.FaultState
			var err error
			switch state := c.Args().Get(1); {
			case c.NArg() < 2:
				states, err = admin.Faults(c.Context)
				if name := c.Args().First(); err == nil && name != "" && !slices.ContainsFunc(states, func(s devstack.FaultState) bool { return s.Name == name }) {
					err = fmt.Errorf("%w: %q", devstack.ErrNoFault, name)
				}
			case c.NArg() == 2 && (state == "on" || state == "off"):
				states, err = admin.Switch(c.Context, c.Args().First(), state == "on")
			default:
				return app.Usage(c, "give a fault, and on or off")
			}
			if err != nil {
				return faultError(err, c.Args().First())
			}
			return printFaults(c, states, true)
		},
	}
}

// FaultNames returns the names of all faults.
func FaultNames() []string {
	var names []string
	for _, f := range devstack.Faults() {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names
}

// faultError gives an answer, or none, of the stack its class.
func faultError(err error, name string) error {
	switch {
	case errors.Is(err, devstack.ErrNoStack):
		return &provider.Error{Kind: provider.ErrUnavailable, Message: err.Error(), Err: err, Hint: "start one with zen dev, and run this inside of it"}
	case errors.Is(err, devstack.ErrNoFault):
		hint := "zen dev --list-faults explains all"
		if near := text.Nearest(name, FaultNames()); near != "" {
			hint = "did you mean " + near + "?"
		}
		return &provider.Error{Kind: app.ErrUsage, Message: fmt.Sprintf("no such fault: %.40q", name), Err: err, Hint: hint} // without the list of all
	}
	return err
}

// printFaults prints one fault a line, with how its switch stands if it has one.
func printFaults(c *cli.Context, states []devstack.FaultState, switches bool) error {
	if app.GlobalBool(c, "json") {
		return app.PrintJSON(c, struct {
			SchemaVersion int                   `json:"schema_version"`
			Faults        []devstack.FaultState `json:"faults"`
		}{app.SchemaVersion, states})
	}
	width := 0
	for _, s := range states {
		width = max(width, len(s.Name))
	}
	for _, s := range states {
		if name := c.Args().First(); name != "" && name != s.Name {
			continue
		}
		state := ""
		switch {
		case switches && s.On:
			state = "on   "
		case switches:
			state = "off  "
		}
		if _, err := fmt.Fprintf(c.App.Writer, "%-*s  %s%s\n", width, s.Name, state, s.Summary); err != nil {
			return err
		}
	}
	return nil
}

// listFaults explains the faults without a stack.
func listFaults(c *cli.Context) error {
	var states []devstack.FaultState
	for _, f := range devstack.Faults() {
		states = append(states, devstack.FaultState{Name: f.Name, Summary: f.Summary})
	}
	slices.SortFunc(states, func(a, b devstack.FaultState) int { return strings.Compare(a.Name, b.Name) })
	return printFaults(c, states, false)
}
