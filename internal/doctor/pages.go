package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/provider"
)

// Page says what a finding's id means.
type Page struct {
	ID string
	// Kind is the class of the failure, which determines the exit code; nil if the finding
	// is not a failure.
	Kind error
	// Means says what was found, and Do what to do about it, both in sentences.
	Means, Do string
}

// pages are the pages of zen's own findings. The ids of a provider's findings begin with
// its name, and are explained on the provider's own page.
var pages = []Page{
	{"binary.provider", nil, "A provider that the profile uses is installed, trusted and starts.", ""},
	{"binary.provider-fails", provider.ErrNoProvider, "A provider that the profile uses isn't installed, isn't trusted, or doesn't start.", "List the installed providers with zen provider list, allow one to run with zen provider trust NAME, or install one with zen provider install SOURCE."},
	{"bundle.clean", nil, "No variable that a bundler publishes appears to contain a token or a key.", ""},
	{"bundle.secret", provider.ErrConfig, "A token or a key is in a variable whose name begins with VITE_, NEXT_PUBLIC_, EXPO_PUBLIC_ or the like. Bundlers build these variables into the page, where anyone can read them.", "Rename the variable, use it only on the server, and rotate the token or key: assume that it has leaked."},
	{"config.database-url", provider.ErrConfig, "The URL of the database isn't valid.", "Use libsql://HOST, as printed by zen db list."},
	{"config.no-database", provider.ErrConfig, "The profile has no database.", "Add database = \"libsql://...\" to the profile, or set ZEN_DATABASE."},
	{"config.no-database-id", provider.ErrConfig, "The profile has no database_id. Without it, only the database's URL is known, so zen can't check that a token is for this database.", "Run zen db show NAME, which prints the id, then zen config set database_id ID."},
	{"config.no-provider", provider.ErrConfig, "The profile names no provider, and there is no sign-in to take it from.", "Run zen login --provider NAME."},
	{"config.profile", nil, "Shows the profile in use, and where each value comes from.", ""},
	{"config.provider", provider.ErrConfig, "A provider rejects its settings.", "The message names the setting and where its value comes from. Run zen provider info NAME to list the settings."},
	{"cors.hides-refusal", provider.ErrRejected, "Browsers report the database's refusal as a CORS error, because Turso sends refusals without Access-Control-Allow-Origin.", "CORS itself is fine. Find out why the database refuses the request."},
	{"cors.preflight", provider.ErrConfig, "Before a page queries the database, the browser sends a preflight request. The database's answer to it doesn't allow the query.", "Only browsers are affected; other programs can query the database."},
	{"database.expired", provider.ErrTokenExpired, "The database says that the token has expired, but by this machine's clock it is still valid.", "Compare the clocks: zen doctor --only clock."},
	{"database.invalidated", provider.ErrRejected, "The tokens of the database or its group were rotated after this token was issued. A JWT template still contains the old rid.", "Copy the rid that zen jwks template prints into the issuer's template. If Turso mints the tokens, zen token --renew gets a new one."},
	{"database.minted", nil, "A token minted by Turso works, so the problem is in the tokens of the sign-in, not in the database.", ""},
	{"database.minted-refused", provider.ErrRejected, "The database refuses even a token minted by Turso.", "The problem is in the database, not in the tokens. Check whether it was recreated, archived or blocked."},
	{"database.not-allowed", provider.ErrPermission, "The token is valid, but doesn't give access to this database.", "Run zen explain - to see what the token is for."},
	{"database.not-found", provider.ErrConfig, "There is no database at this URL.", "Run zen db list to see the databases that exist."},
	{"database.not-minted", provider.ErrUnavailable, "Turso didn't mint a token for comparison.", "Check that the API token has the scope db:mint-token."},
	{"database.ok", nil, "SELECT 1 with the profile's token works.", ""},
	{"database.refused", provider.ErrRejected, "The database refuses the token.", "Run zen doctor --only jwks to see whether Turso has the key."},
	{"database.replica", provider.ErrUnavailable, "The database answers queries, but would refuse an embedded replica: the plan doesn't include replicas, or they can't be synced at the moment.", "Only replicas are affected; use --mode remote meanwhile."},
	{"database.stream", provider.ErrUnavailable, "The database answers single statements, but loses the stream between two requests. Transactions need the stream.", "Try again later, or send statements that belong together as one batch."},
	{"database.unavailable", provider.ErrUnavailable, "The database didn't answer, or answered with a server error.", "Try again later."},
	{"issuer.key-missing", provider.ErrTokenInvalid, "The key that signed the token isn't in the issuer's key set.", "Get a new token with zen token --renew. Issuers usually publish a new key before they sign with it."},
	{"issuer.key-set", provider.ErrUnavailable, "The issuer's key set can't be read. Turso reads the same key set, so it may be affected too.", "Check the issuer's status page. Tokens of another provider work meanwhile."},
	{"network.clock", provider.ErrConfig, "This machine's clock and a server's clock differ by more than tokens allow.", "Synchronize the clock with NTP."},
	{"network.dns", provider.ErrUnavailable, "The name of a host can't be resolved.", "Check the URL, and the DNS settings of this machine."},
	{"network.proxy", provider.ErrConfig, "A proxy variable in the environment isn't valid.", "The message names the variable. In a password, write %, /, # and spaces as %25, %2F, %23 and %20."},
	{"network.reached", nil, "The database's host answers.", ""},
	{"network.slow", provider.ErrUnavailable, "The database's host is slow: of three responses over an open connection, even the fastest took more than 400 ms to start, or more than 40 ms for its few bytes.", "Check the network path: a proxy, a VPN, or a region that is far away. zen db query --mode replica reads without the network."},
	{"network.tls", provider.ErrUnavailable, "This machine doesn't trust the server's certificate.", "If your network uses its own certificate authority, set SSL_CERT_FILE to the file with its certificate."},
	{"network.trouble", provider.ErrUnavailable, "The database's host answers with a server error.", "Try again later."},
	{"network.unreachable", provider.ErrUnavailable, "The database's host can't be reached.", "Check the network connection and HTTPS_PROXY."},
	{"plan.allow-rules", provider.ErrPermission, "The database only answers requests from certain networks.", "Check whether this machine is in one of them: turso db show NAME."},
	{"plan.archived", provider.ErrUnavailable, "The database's group has been archived because it wasn't used for a long time.", "Run turso group unarchive NAME."},
	{"plan.blocked", provider.ErrPermission, "Reads or writes are blocked: a quota of the plan is used up, or the owner has blocked them.", "Run turso plan show."},
	{"plan.nearly-used", provider.ErrPermission, "A quota of the plan is used up, or nearly. Once it is, Turso blocks reads or writes unless overages are on.", "Run turso plan show."},
	{"plan.ok", nil, "Nothing is blocked by the plan.", ""},
	{"signin.login-failed", provider.ErrNoCredential, "The last zen login for the profile failed within the past day. The message is the one that it printed. The finding disappears after a successful login.", "Follow the message, then run zen login."},
	{"signin.none", provider.ErrNoCredential, "The profile has no sign-in.", "Run zen login."},
	{"signin.not-stored", nil, "No sign-in is stored, as configured: tokens are issued from settings.", ""},
	{"signin.ok", nil, "The profile has a sign-in.", ""},
	{"signin.team-failed", provider.ErrPermission, "A zen team command failed the last time it was run, within the past day. The message is the one that it printed. The finding disappears once the same command succeeds.", "Follow the message. zen team list shows the members and their roles."},
	{"signin.token-invalid", provider.ErrTokenInvalid, "The stored token is invalid.", "The next use gets another token."},
	{"signin.unknown", provider.ErrUnavailable, "zen can't tell who is signed in: the keyring doesn't answer, or the file can't be read.", "Run zen token, which reads the keyring and may ask you to unlock it."},
	{"storage.fallback", provider.ErrUnavailable, "Credentials are in a plain file, although that wasn't configured: there is no keyring, or it didn't keep what was stored.", "Repair the keyring and sign in again, or set storage = \"file\" in the profile."},
	{"storage.file", nil, "Credentials are in a plain file of mode 0600, as configured.", ""},
	{"storage.none", nil, "Nothing is stored, as configured.", ""},
	{"storage.sealed", nil, "Credentials are sealed with a key in the keyring.", ""},
	{"storage.unreadable", provider.ErrConfig, "The stored credentials can't be read.", "The message says why. zen logout deletes them."},
	{"token.audience", provider.ErrConfig, "The database refused the token, and the token has an audience. As far as is known, Turso Cloud ignores the audience, but a plain libsql-server refuses tokens that have one.", "Remove aud from the template, or use a token minted by Turso."},
	{"token.claims", provider.ErrPermission, "The token lacks the claims for this database, or allows more than the profile asks for. Turso treats a token without database claims as access to everything.", "Run zen jwks template, which prints the claims for the issuer's template or Action."},
	{"token.fallback", provider.ErrUnavailable, "The tokens come from a fallback provider.", "The first finding that failed says why."},
	{"token.not-issued", provider.ErrUnavailable, "No token could be issued. The message comes from the provider.", "Follow the next step that the finding shows."},
	{"token.ok", nil, "A token for this database was issued and verified.", ""},
	{"token.unreadable", provider.ErrTokenInvalid, "The token is not a JWT.", "This is a bug in the provider: report it to the provider's author."},
	{"turso.api", provider.ErrUnavailable, "The Platform API can't be reached, or rejects the API token.", "If the API token is the problem, create another one with turso auth api-tokens mint NAME."},
	{"turso.database", provider.ErrConfig, "The API token's organization has no database with the profile's URL or id.", "Run zen db list, and check whether the database belongs to another organization."},
	{"turso.database-id", provider.ErrConfig, "The database at the profile's URL doesn't have the id that the profile says: it was probably deleted and recreated.", "Put the new id into the profile and into the issuer's template."},
	{"turso.jwks.duplicate", provider.ErrConfig, "Two registrations are for the same key set.", "Run zen jwks remove NAME for one of them."},
	{"turso.jwks.key-missing", provider.ErrRejected, "The issuer's key set is registered, but none of the registrations contains the key that signed the token.", "Run zen jwks check. The issuer may have rotated its keys."},
	{"turso.jwks.key-refused", provider.ErrRejected, "Turso refuses the token, although its key seems to be in a registered key set. Turso has no key with that kid, or a different one, for example because it missed a rotation. zen was written to work around this.", "Run zen login --provider platformtoken to use tokens minted by Turso, and zen doctor --report FILE to write a report for Turso's support."},
	{"turso.jwks.list", nil, "Lists the registered key sets.", ""},
	{"turso.jwks.not-registered", provider.ErrRejected, "The issuer's key set isn't registered with Turso.", "Run zen jwks save NAME URL."},
	{"turso.jwks.over-limit", provider.ErrRejected, "More key sets are registered than Turso allows. Over the limit, Turso has been seen to neither save nor remove registrations.", "Run zen jwks remove NAME, which tries every region. If that fails, only Turso's support can remove it."},
	{"turso.jwks.public-issuer", provider.ErrPermission, "A registration is for an issuer whose tokens anyone can get. Turso treats tokens without database claims as access to every database.", "Run zen jwks remove NAME immediately."},
	{"turso.jwks.region", provider.ErrRejected, "The key that signed the token is registered, but for another region than the database's.", "Run zen jwks save --region REGION NAME URL with the database's region, or zen doctor --fix."},
	{"turso.jwks.registered", nil, "The key that signed the token is registered.", ""},
	{"turso.jwks.remove-fails", provider.ErrUnavailable, "Turso didn't remove a registration, now or within the past day.", "Run zen doctor --report FILE to write a report for Turso's support."},
	{"turso.jwks.save-fails", provider.ErrUnavailable, "Turso didn't save a registration within the past day.", "Run zen jwks list to see what is registered, and zen jwks remove NAME to make room."},
	{"turso.jwks.unreachable", provider.ErrUnavailable, "A registered key set can't be read.", "If the registration is no longer used, remove it with zen jwks remove NAME."},
}

// PageOf returns the page of an id, and whether there is one. The ids of skipped layers
// have a page, too.
func PageOf(id string) (Page, bool) {
	for _, p := range pages {
		if p.ID == id {
			return p, true
		}
	}
	if layer, ok := strings.CutSuffix(id, ".skipped"); ok && slices.Contains(Layers(), layer) {
		return Page{ID: id, Means: "The layer " + layer + " could not be checked. The finding says why."}, true
	}
	return Page{}, false
}

// PageIDs returns the ids that have a page in docs/errors, sorted.
func PageIDs() []string {
	var ids []string
	for _, p := range pages {
		ids = append(ids, p.ID)
	}
	slices.Sort(ids)
	return ids
}

// Markdown returns the page as it is in docs/errors.
func (p Page) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n", p.ID, p.Means)
	if class := (Finding{Kind: p.Kind, Severity: provider.SeverityError}).Class(); p.Kind != nil {
		fmt.Fprintf(&b, "\nClass: `%s`.\n", class)
	}
	if p.Do != "" {
		fmt.Fprintf(&b, "\nWhat to do: %s\n", p.Do)
	}
	return b.String()
}
