package dev

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/internal/cli/app"
)

func devMailCommand() *cli.Command {
	return &cli.Command{
		Name:      "mail",
		Usage:     "print the newest code that was sent by e-mail",
		ArgsUsage: "[ADDRESS]",
		Description: `The local stack sends no mail; it keeps the codes for this command. ADDRESS, or the part
before its @, selects one person's mail; without it, anyone's code may be printed. With
--wait, zen waits for the next code:

   zen dev mail --wait alice`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "wait", Usage: "wait for the next code"},
			&cli.StringFlag{Name: "url", Usage: "use the stack at `URL`", EnvVars: []string{"ZEN_DEV_URL"}},
		},
		Action: func(c *cli.Context) error {
			admin := devstack.Admin{URL: c.String("url")}
			switch {
			case admin.URL == "":
				return app.Usage(c, "no stack: run this inside of zen dev, or name one with --url")
			case c.NArg() > 1:
				return app.Usage(c, "give one address at the most")
			}
			ctx, cancel := context.WithTimeout(c.Context, visitTimeout)
			defer cancel()
			mails, err := admin.Mails(ctx, c.Args().First(), c.Bool("wait"))
			if err != nil {
				return faultError(err, "")
			}
			if app.GlobalBool(c, "json") {
				return app.PrintJSON(c, struct {
					SchemaVersion int             `json:"schema_version"`
					Mails         []devstack.Mail `json:"mails"`
				}{app.SchemaVersion, mails})
			}
			if len(mails) == 0 {
				return fmt.Errorf("no mail has come")
			}
			_, err = fmt.Fprintln(c.App.Writer, mails[0].Code)
			return err
		},
	}
}
