package jwks

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/httpclient"
	keys "github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/platform"
	"github.com/zen-auth/zen/internal/doctor"
	"github.com/zen-auth/zen/internal/zen"
)

func checkCommand() *cli.Command {
	return &cli.Command{
		Name: "check", Usage: "check whether a registration contains a token's key", ArgsUsage: "[-]",
		Description: `   zen jwks check
   zen token | zen jwks check -

Without an argument, the profile's token is checked. zen fetches each registered key set
as Turso would.`,
		Flags: []cli.Flag{organizationFlag()},
		Action: func(c *cli.Context) error {
			if c.NArg() > 1 || c.NArg() == 1 && c.Args().First() != "-" {
				return app.Usage(c, "a token comes from standard input: zen jwks check -")
			}
			return with(c, func(client *zen.Client, api platform.API) error { return check(c, client, api) })
		},
	}
}

type checkDocument struct {
	SchemaVersion int             `json:"schema_version"`
	KeyID         string          `json:"key_id"`
	Issuer        string          `json:"issuer"`
	HeldBy        []string        `json:"held_by"`
	KeySets       []checkedKeySet `json:"key_sets"`
}

type checkedKeySet struct {
	Name  string   `json:"name"`
	URL   string   `json:"url"`
	Holds bool     `json:"holds_key"`
	Keys  []string `json:"keys"`
	Error string   `json:"error,omitempty"`
}

func check(c *cli.Context, client *zen.Client, api platform.API) error {
	token, err := tokenOf(c, client)
	if err != nil {
		return err
	}
	claims, err := keys.DecodeUnverified(token)
	if err != nil {
		return err
	}
	if claims.Issuer == "" {
		return &provider.Error{Kind: provider.ErrConfig, Message: "this token was signed by Turso itself, and needs no registration", Hint: "zen explain - says more of it"}
	}
	sets, err := api.KeySets(c.Context, api.Organization)
	if err != nil {
		return doctor.APIError(err)
	}
	d := checkDocument{SchemaVersion: app.SchemaVersion, KeyID: app.OneLine(claims.KeyID), Issuer: app.OneLine(claims.Issuer), HeldBy: []string{}, KeySets: []checkedKeySet{}}
	for _, s := range sets {
		checked := checkedKeySet{Name: app.OneLine(s.Name), URL: app.OneLine(s.URL), Keys: []string{}}
		found, err := doctor.FetchKeys(c.Context, httpclient.Client(), s.URL)
		if err != nil {
			checked.Error = app.OneLine(err.Error())
		}
		for _, k := range found {
			checked.Keys = append(checked.Keys, app.OneLine(k.ID))
			checked.Holds = checked.Holds || k.ID == claims.KeyID
		}
		if checked.Holds {
			d.HeldBy = append(d.HeldBy, checked.Name)
		}
		d.KeySets = append(d.KeySets, checked)
	}
	if err := printCheck(c, d); err != nil {
		return err
	}
	if len(d.HeldBy) == 0 {
		return &provider.Error{
			Kind: provider.ErrRejected, Message: fmt.Sprintf("no registration has the key of this token (kid %s, issuer %s)", d.KeyID, d.Issuer),
			Hint: "zen jwks save NAME URL registers the issuer's key set",
		}
	}
	return nil
}

func printCheck(c *cli.Context, d checkDocument) error {
	if app.GlobalBool(c, "json") {
		return app.PrintJSON(c, d)
	}
	table := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tHAS THE KEY\tKEYS")
	for _, s := range d.KeySets {
		holds := map[bool]string{true: "yes", false: "no"}[s.Holds]
		what := strings.Join(s.Keys, ", ")
		if s.Error != "" {
			holds, what = "unknown", s.Error
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", s.Name, holds, what)
	}
	return table.Flush()
}

// tokenOf reads the token from standard input, or gets the profile's.
func tokenOf(c *cli.Context, client *zen.Client) (provider.Secret, error) {
	if c.NArg() == 1 {
		return app.EnvOf(c).ReadToken(c.Context)
	}
	session, err := client.Session("")
	if err != nil {
		return provider.Secret{}, err
	}
	token, err := session.TokenFor(c.Context, 0)
	return token.Value, err
}
