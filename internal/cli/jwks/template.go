package jwks

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/platform"
	"github.com/zen-auth/zen/internal/doctor"
	"github.com/zen-auth/zen/internal/zen"
)

func templateCommand() *cli.Command {
	return &cli.Command{
		Name: "template", Usage: "print the claims that tokens for the profile's database need",
		Description: `   zen jwks template
   zen jwks template --for auth0 --access ro

The claims come from Turso. For Clerk they are printed as the claims of a JWT template,
for Auth0 as an Action for the trigger post-login.`,
		Flags: []cli.Flag{
			organizationFlag(),
			&cli.StringFlag{Name: "for", Usage: "write it for `ISSUER`: clerk, auth0 or json", Value: "clerk"},
			&cli.StringFlag{Name: "access", Usage: "print the claims for `ACCESS`: ro or rw"},
			&cli.StringFlag{Name: "database", Usage: "print the claims for the database `NAME` (default: the profile's)"},
		},
		Action: func(c *cli.Context) error {
			if !slices.Contains([]string{"clerk", "auth0", "json"}, c.String("for")) {
				return app.Usage(c, "--for %q is not clerk, auth0 or json", c.String("for"))
			}
			if zen.IsName(c.String("database")) {
				app.EnvOf(c).Config.Flags.Database = "" // Turso is asked by that name; no provider need look it up
			}
			return with(c, func(client *zen.Client, api platform.API) error { return template(c, client, api) })
		},
	}
}

func template(c *cli.Context, client *zen.Client, api platform.API) error {
	profile, err := client.Config.Profile("")
	if err != nil {
		return err
	}
	access, err := provider.ParseAccess(cmp.Or(c.String("access"), string(profile.Access.Value), "rw"))
	if err != nil {
		return app.Usage(c, "--access: %v", err)
	}
	name := c.String("database")
	if !zen.IsName(name) {
		d, err := doctor.FindDatabase(c.Context, api.Client, api.Organization, profile.Target())
		if err != nil {
			return err
		}
		name = d.Name
	}
	claims, err := doctor.Template(c.Context, api.Client, api.Organization, name, access, profile.Permissions.Value)
	if err != nil {
		return err
	}
	return printTemplate(c, claims)
}

// printTemplate writes Turso's claims in the form that the issuer takes.
func printTemplate(c *cli.Context, claims json.RawMessage) error {
	var object map[string]any
	if err := json.Unmarshal(claims, &object); err != nil {
		return fmt.Errorf("read the template: %w", err)
	}
	if app.GlobalBool(c, "json") || c.String("for") == "json" {
		return app.PrintJSON(c, struct {
			SchemaVersion int            `json:"schema_version"`
			Claims        map[string]any `json:"claims"`
		}{app.SchemaVersion, object})
	}
	if c.String("for") == "clerk" {
		return app.WriteJSON(c.App.Writer, object)
	}
	var b strings.Builder
	b.WriteString("exports.onExecutePostLogin = async (event, api) => {\n")
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value, err := json.Marshal(object[name])
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "  api.accessToken.setCustomClaim(%q, %s);\n", name, value)
	}
	b.WriteString("};\n")
	_, err := io.WriteString(c.App.Writer, b.String())
	return err
}
