package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/names"
	"github.com/zen-auth/zen/internal/private"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/store"
)

// providerNames returns the providers that the profile uses, the one that signs in first.
func (e *exam) providerNames() []string {
	var names []string
	for _, name := range append([]string{e.signsIn(), e.Profile.TokenProvider.Value}, e.Profile.Fallback.Value...) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// signsIn returns the provider of the last login, or else the one in the profile.
func (e *exam) signsIn() string {
	if status, err := e.Session.Status(context.Background()); err == nil && status.Provider != "" {
		return status.Provider
	}
	return e.Profile.Provider.Value
}

// binaries starts the providers of the profile.
func (e *exam) binaries(ctx context.Context) {
	names := e.providerNames()
	if len(names) == 0 {
		e.add(Finding{
			ID: "config.no-provider", Severity: provider.SeverityError, Kind: provider.ErrConfig,
			Observed: fmt.Sprintf("profile %q has no provider", e.Profile.Name.Value), Next: "zen login --provider NAME",
		})
		return
	}
	for _, name := range names {
		d, err := e.Providers.Describe(ctx, name)
		if err == nil {
			e.ok("binary.provider", strings.TrimSpace("provider "+name+" starts "+d.Version))
			continue
		}
		severity := provider.SeverityError
		if slices.Contains(e.Profile.Fallback.Value, name) {
			severity = provider.SeverityWarn
		}
		e.add(Finding{ID: "binary.provider-fails", Severity: severity, Kind: provider.Kind(err), Observed: err.Error(), Next: provider.Hint(err)})
	}
}

// config reports which profile is used, and where its values come from.
func (e *exam) config(context.Context) {
	p := e.Profile
	if p.Database.Value == "" {
		err := e.Session.NeedsDatabase()
		e.fail("config.no-database", err, "", "zen init, or "+provider.Hint(err))
		return
	}
	from := func(origin fmt.Stringer) string { return " (from " + origin.String() + ")" }
	e.ok("config.profile", fmt.Sprintf("profile %s%s: database %s%s", p.Name.Value, from(p.Name.Origin), p.Database.Value, from(p.Database.Origin)))
	if kind := p.Database.Origin.Kind; p.DatabaseID.Value == "" && kind != config.KindFlag && kind != config.KindEnvironment {
		e.add(Finding{
			ID: "config.no-database-id", Severity: provider.SeverityWarn, Kind: provider.ErrConfig,
			Observed: "the profile has no database_id, so zen can't check that a token is for its database",
			Next:     "zen config set database_id ID; zen db show prints it",
		})
	}
}

// storage checks where credentials are stored.
func (e *exam) storage(ctx context.Context) {
	status, err := e.Session.Status(ctx)
	switch {
	case err != nil:
		e.fail("storage.unreadable", err, "", "")
	case status.StorageReason != "":
		e.add(Finding{
			ID: "storage.fallback", Severity: provider.SeverityWarn, Kind: provider.ErrUnavailable,
			Observed: fmt.Sprintf("credentials are in the plain file %s", status.File), Cause: status.StorageReason,
			Next: "repair the keyring and sign in again, or keep the file: storage = \"file\"",
		})
	case status.Storage == store.StorageKeyring:
		e.ok("storage.sealed", "credentials are sealed with a key in the keyring, in "+status.File)
	case status.Storage == store.StorageNone:
		e.ok("storage.none", "nothing is stored, as configured")
	case status.Storage == store.StorageFile: // without any, signin.none says enough
		e.ok("storage.file", "credentials are in the plain file "+status.File+", as configured")
	}
}

// publicPrefixes are the prefixes of variables that bundlers build into pages.
var publicPrefixes = []string{"VITE_", "NEXT_PUBLIC_", "EXPO_PUBLIC_", "REACT_APP_", "NUXT_PUBLIC_", "PUBLIC_", "GATSBY_", "VUE_APP_"}

// envFiles are read before all other .env files, in this order, as frameworks do. If two
// files set the same variable, the first one counts.
var envFiles = []string{".env.development.local", ".env.local", ".env.development", ".env"}

// Variables calls yield with each variable of an environment, which has the form of
// os.Environ, and then with those of the .env files of a directory. Example files, and
// files that can't be read, are left out.
func Variables(dir string, environ []string, yield func(name, value, where string)) {
	read := func(line, where string) {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		name, value = strings.TrimSpace(name), strings.Trim(strings.TrimSpace(value), `"'`)
		if ok && name != "" && value != "" && !strings.HasPrefix(name, "#") {
			yield(name, value, where)
		}
	}
	for _, line := range environ {
		read(line, "the environment")
	}
	files, _ := filepath.Glob(filepath.Join(dir, ".env*"))
	slices.SortStableFunc(files, func(a, b string) int {
		rank := func(path string) int {
			if i := slices.Index(envFiles, filepath.Base(path)); i >= 0 {
				return i
			}
			return len(envFiles)
		}
		return rank(a) - rank(b)
	})
	for _, path := range files {
		if slices.Contains([]string{".example", ".sample", ".template"}, filepath.Ext(path)) {
			continue
		}
		text, err := private.ReadRegular(path, 256<<10)
		if err != nil {
			continue // not readable, or deleted meanwhile
		}
		for line := range strings.Lines(string(text)) {
			read(line, filepath.Base(path))
		}
	}
}

// bundle looks for secrets in variables that a bundler publishes. It reports the names of
// the variables, never their values.
func (e *exam) bundle(context.Context) {
	var found []string
	Variables(e.WorkDir, e.Environ, func(name, value, where string) {
		if slices.ContainsFunc(publicPrefixes, func(p string) bool { return strings.HasPrefix(name, p) }) && isSecret(value) {
			found = append(found, name+" ("+where+")")
		}
	})
	if len(found) == 0 {
		e.ok("bundle.clean", "no variable that a bundler publishes contains a secret")
		return
	}
	slices.Sort(found)
	e.add(Finding{
		ID: "bundle.secret", Severity: provider.SeverityError, Kind: provider.ErrConfig,
		Observed: "a token or key is in a variable that is built into the page, where anyone can read it: " + strings.Join(slices.Compact(found), ", "),
		Cause:    "bundlers publish variables with this prefix",
		Next:     "rename the variable, use it only on the server, and rotate the token or key",
	})
}

// isSecret recognizes tokens and keys by their form: signed JWTs, and Clerk's secret keys
// and API keys. Secrets of other forms are not recognized, such as Auth0's client secrets.
func isSecret(value string) bool {
	for _, prefix := range []string{"sk_live_", "sk_test_", "ak_live_", "ak_test_", "ak_"} {
		if strings.HasPrefix(value, prefix) && len(value) > len(prefix)+8 {
			return true
		}
	}
	return strings.HasPrefix(value, "eyJ") && strings.Count(value, ".") == 2 && len(value) > 60
}

// remembered is how long the failure of a command is reported.
const remembered = 24 * time.Hour

// tellFailure reports that a command failed when it was last run for the profile, unless
// that was longer ago than [remembered].
func (e *exam) tellFailure(command, id string) {
	c := e.Session.Config()
	f, ok := c.Store.Failures(c.Name)[command]
	if !ok || time.Since(f.Time) > remembered {
		return
	}
	e.add(Finding{
		ID: id, Severity: provider.SeverityWarn, Kind: f.Kind(),
		Observed: fmt.Sprintf("zen %s failed at %s: %s", command, f.Time.Format("15:04 UTC"), f.Message), Next: cmp.Or(f.Hint, "zen "+command+" --help"),
	})
}

// teamCommands are the commands of zen team that change something.
var teamCommands = []string{"invite", "revoke", "remove", "role"}

// signin checks who is signed in, without asking the user anything, and which commands
// failed recently.
func (e *exam) signin(ctx context.Context) {
	e.tellFailure("login", "signin.login-failed")
	for _, command := range teamCommands {
		defer e.tellFailure("team "+command, "signin.team-failed")
	}
	status, err := e.Session.Status(ctx)
	switch {
	case err != nil:
		e.fail("signin.unknown", err, "", "")
	case status.Doubt != nil && !status.SignedIn:
		e.add(Finding{
			ID: "signin.unknown", Severity: provider.SeverityWarn, Kind: provider.ErrUnavailable,
			Observed: "zen can't tell who is signed in without the keyring", Cause: status.Doubt.Error(), Next: "zen token, which reads the keyring and may ask you to unlock it",
		})
	case !status.SignedIn && status.Storage == store.StorageNone:
		e.ok("signin.not-stored", "no sign-in is stored, as configured: tokens are issued from settings")
	case !status.SignedIn:
		e.add(Finding{
			ID: "signin.none", Severity: provider.SeverityError, Kind: provider.ErrNoCredential,
			Observed: fmt.Sprintf("not signed in to profile %q", status.Profile), Next: names.LoginCommand(e.Session.Profile()),
		})
	default:
		e.ok("signin.ok", fmt.Sprintf("signed in with %s as %s", status.Provider, status.Account.Credential.Subject))
		if status.State == session.StateInvalid && !errors.Is(status.Reason, provider.ErrTokenExpired) {
			e.add(Finding{
				ID: "signin.token-invalid", Severity: provider.SeverityWarn, Kind: provider.Kind(status.Reason),
				Observed: "the stored token is invalid: " + status.Reason.Error(), Next: "the next use gets another token; if that one is invalid too, " + names.LoginCommand(e.Session.Profile()),
			})
		}
	}
}
