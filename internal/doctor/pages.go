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
	// Kind is the class of the failure, which decides the exit code; nil for a finding
	// that is no failure.
	Kind error
	// Means says what was found, Do what to do about it, both in sentences.
	Means, Do string
}

// pages are the pages of zen's own findings. Those of a provider begin with its
// name, and are on its own page.
var pages = []Page{
	{"binary.provider", nil, "A provider of the profile was found, may run, and starts.", ""},
	{"binary.provider-fails", provider.ErrNoProvider, "A provider of the profile isn't there, may not run, or doesn't start.", "zen provider list shows what was found; zen provider trust NAME lets one run; zen provider install SOURCE brings one."},
	{"bundle.clean", nil, "No variable that a bundler publishes has what looks like a token or a key.", ""},
	{"bundle.secret", provider.ErrConfig, "A token or a key is in a variable whose name begins with VITE_, NEXT_PUBLIC_, EXPO_PUBLIC_ or the like. Bundlers write those into the page, where anyone can read them.", "Rename the variable, use it only on a server, and have the token or key rotated: assume that it is known."},
	{"config.database-url", provider.ErrConfig, "The URL of the database can't be used.", "Write libsql://HOST, as zen db list prints it."},
	{"config.no-database", provider.ErrConfig, "The profile has no database.", "Write database = \"libsql://...\" into the profile, or set ZEN_DATABASE."},
	{"config.no-database-id", provider.ErrConfig, "The profile has no database_id. A token can't be compared with its database then, beyond the URL that the profile names.", "zen db show NAME prints the id."},
	{"config.no-provider", provider.ErrConfig, "The profile names no provider, and there is no sign-in with one.", "zen login --provider NAME."},
	{"config.profile", nil, "The profile in use, and where each value came from.", ""},
	{"config.provider", provider.ErrConfig, "A provider refuses its settings.", "The message names the setting and where its value came from. zen provider info NAME lists the settings."},
	{"cors.hides-refusal", provider.ErrRejected, "A browser shows a refusal of the database as a CORS error: Turso leaves Access-Control-Allow-Origin out of refusals.", "Nothing is wrong with CORS. Find out why the database refuses."},
	{"cors.preflight", provider.ErrConfig, "A browser asks, before the query, whether the page may ask. The database's answer doesn't allow it.", "Only browsers are affected."},
	{"database.expired", provider.ErrTokenExpired, "The database says that a token has expired that is good by this machine's clock.", "Compare the clocks."},
	{"database.invalidated", provider.ErrRejected, "The tokens of the database or its group were rotated after this token was issued. A JWT template carries the old rid.", "Put the rid that zen jwks template prints into the template; a minted token is made anew by zen token --renew."},
	{"database.minted", nil, "A token that Turso minted works: the sign-in's tokens are what is wrong, not the database.", ""},
	{"database.minted-refused", provider.ErrRejected, "The database refuses a token that Turso itself minted, too.", "The fault is the database's: was it created anew, archived or blocked?"},
	{"database.not-allowed", provider.ErrPermission, "The token is valid, but gives no access to this database.", "zen explain - says what a token is for."},
	{"database.not-found", provider.ErrConfig, "There is no database at the URL.", "zen db list shows the ones that exist."},
	{"database.not-minted", provider.ErrUnavailable, "Turso mints no token to compare with.", "Does the API token have the scope db:mint-token?"},
	{"database.ok", nil, "SELECT 1 with the profile's token works.", ""},
	{"database.refused", provider.ErrRejected, "The database refuses the token.", "zen doctor --only jwks says whether Turso knows the key."},
	{"database.replica", provider.ErrUnavailable, "The database answers, and would refuse an embedded replica: the plan has no replicas, or they can't be brought up to date now.", "Only replicas are affected."},
	{"database.stream", provider.ErrUnavailable, "The database answers a statement, and has forgotten the stream when its client comes back. Transactions need that.", "Try again later; send what belongs together as one batch."},
	{"database.unavailable", provider.ErrUnavailable, "The database didn't answer, or answered with an error of its own.", "Try again later."},
	{"issuer.key-missing", provider.ErrTokenInvalid, "The key that signed the token is not in the issuer's key set.", "Ask for a new token; issuers publish a new key before they use it."},
	{"issuer.key-set", provider.ErrUnavailable, "The issuer's key set can't be read. Turso reads the same one.", "Look at the issuer's status page. Tokens of another provider work meanwhile."},
	{"network.clock", provider.ErrConfig, "This machine's clock and a server's differ by more than tokens allow.", "Set the clock, by NTP."},
	{"network.dns", provider.ErrUnavailable, "The name of a host wasn't found.", "Is the URL right?"},
	{"network.proxy", provider.ErrConfig, "A proxy variable of the environment can't be used.", "The message names it; a password's %, /, # and blanks are written %25, %2F, %23 and %20."},
	{"network.reached", nil, "The database's host answers.", ""},
	{"network.slow", provider.ErrUnavailable, "The database's host answers slowly: the quickest of three answers on an open connection began after more than 400 ms, or its few bytes took more than 40 ms.", "Look at the way there: a proxy, a VPN, a region far away. zen db query --mode replica reads without the network."},
	{"network.tls", provider.ErrUnavailable, "The certificate is not one that this machine trusts.", "If the network has an authority of its own, name its file in SSL_CERT_FILE."},
	{"network.trouble", provider.ErrUnavailable, "The database's host answers with an error of its own.", "Try again later."},
	{"network.unreachable", provider.ErrUnavailable, "The database's host can't be reached.", "Check the network, and HTTPS_PROXY."},
	{"plan.allow-rules", provider.ErrPermission, "The database answers only requests from some networks.", "Is this machine in one of them? turso db show NAME."},
	{"plan.archived", provider.ErrUnavailable, "The database's group is archived: it was not used for a long time.", "turso group unarchive NAME."},
	{"plan.blocked", provider.ErrPermission, "Reads or writes are blocked, by the plan's quota or by the owner.", "turso plan show."},
	{"plan.nearly-used", provider.ErrPermission, "Nearly all, or all, of a quota of the plan is used. Beyond it Turso blocks reads or writes, where overages are off.", "turso plan show."},
	{"plan.ok", nil, "The plan blocks nothing.", ""},
	{"signin.login-failed", provider.ErrNoCredential, "The last zen login for the profile failed, within a day. The message is what it said then. A login that goes well ends this.", "What the message says; then zen login."},
	{"signin.none", provider.ErrNoCredential, "The profile has no sign-in.", "zen login."},
	{"signin.not-stored", nil, "No sign-in is stored, as was chosen: tokens are made from settings.", ""},
	{"signin.ok", nil, "The profile has a sign-in.", ""},
	{"signin.team-failed", provider.ErrPermission, "The last zen team command of its kind failed, within a day. The message is what it said then. One that goes well ends this.", "What the message says; zen team list shows who may do it."},
	{"signin.token-invalid", provider.ErrTokenInvalid, "The stored token is invalid.", "The next use makes another one."},
	{"signin.unknown", provider.ErrUnavailable, "It is not known who is signed in: the keyring doesn't answer, or the file can't be read.", "zen token asks the keyring."},
	{"storage.fallback", provider.ErrUnavailable, "Credentials are in a plain file, which was not chosen: there is no keyring, or it kept nothing.", "Repair the keyring and sign in again, or choose storage = \"file\"."},
	{"storage.file", nil, "Credentials are in a plain file of mode 0600, as was chosen.", ""},
	{"storage.none", nil, "Nothing is stored, as was chosen.", ""},
	{"storage.sealed", nil, "Credentials are sealed with a key in the keyring.", ""},
	{"storage.unreadable", provider.ErrConfig, "The stored credentials can't be read.", "The message says why; zen logout forgets them."},
	{"token.audience", provider.ErrConfig, "The database refused the token, which has an audience. Turso Cloud isn't known to look at it; a plain libsql-server refuses it.", "Leave aud out of the template, or use a token that Turso mints."},
	{"token.claims", provider.ErrPermission, "The token doesn't carry the claims for this database, or more than the profile asks for. Without database claims Turso would read it as access to everything.", "zen jwks template prints what the issuer's template or Action needs."},
	{"token.fallback", provider.ErrUnavailable, "The tokens come from a fallback provider.", "The first failing line says why."},
	{"token.not-issued", provider.ErrUnavailable, "No token can be had. The message is the provider's.", "The finding's own next step."},
	{"token.ok", nil, "A token for this database was issued and verified.", ""},
	{"token.unreadable", provider.ErrTokenInvalid, "The token is not a JWT.", "The provider has a fault."},
	{"turso.api", provider.ErrUnavailable, "The Platform API can't be asked, or doesn't take the API token.", "turso auth api-tokens mint NAME makes another one."},
	{"turso.database", provider.ErrConfig, "The organization of the API token has no database of the profile's URL or id.", "zen db list; is it another organization's?"},
	{"turso.database-id", provider.ErrConfig, "The database at the profile's URL has another id: it was deleted and created anew.", "Write the new id into the profile, and into the issuer's template."},
	{"turso.jwks.duplicate", provider.ErrConfig, "Two registrations are of the same key set.", "zen jwks remove NAME."},
	{"turso.jwks.key-missing", provider.ErrRejected, "The issuer's key set is registered, and none of the registrations has the key that signed the token.", "zen jwks check; the issuer may have rotated its keys."},
	{"turso.jwks.key-refused", provider.ErrRejected, "Turso refuses a token although its key is in a registered key set, as far as can be seen: it has no key of that kid, or another one, as after a rotation that it missed. This is what zen was made for.", "zen login --provider platformtoken has Turso make the tokens, and zen doctor --report FILE writes what Turso's support needs."},
	{"turso.jwks.list", nil, "The key sets that are registered.", ""},
	{"turso.jwks.not-registered", provider.ErrRejected, "The issuer's key set is not registered at Turso.", "zen jwks save NAME URL."},
	{"turso.jwks.over-limit", provider.ErrRejected, "More key sets are registered than Turso allows. Beyond the limit it was seen to remove none and to save none.", "zen jwks remove NAME tries every region; after that only Turso's support can."},
	{"turso.jwks.public-issuer", provider.ErrPermission, "A registration is for an issuer whose tokens anyone can get. Turso reads tokens without database claims as access to every database.", "zen jwks remove NAME, at once."},
	{"turso.jwks.region", provider.ErrRejected, "The registration that has the key which signed the token is for another region than the database's.", "zen jwks save --region REGION NAME URL, with the database's region, or zen doctor --fix."},
	{"turso.jwks.registered", nil, "A registration has the key that signed the token.", ""},
	{"turso.jwks.remove-fails", provider.ErrUnavailable, "Turso doesn't remove a registration, or didn't within a day.", "zen doctor --report FILE writes what Turso's support needs."},
	{"turso.jwks.save-fails", provider.ErrUnavailable, "Turso didn't save a registration, within a day.", "zen jwks list shows what is registered; zen jwks remove NAME makes room."},
	{"turso.jwks.unreachable", provider.ErrUnavailable, "The key set of a registration can't be read.", "Remove the registration if it is no longer used."},
}

// PageOf returns the page of an id. The layers' own ids for what was skipped have one,
// too.
func PageOf(id string) (Page, bool) {
	for _, p := range pages {
		if p.ID == id {
			return p, true
		}
	}
	if layer, ok := strings.CutSuffix(id, ".skipped"); ok && slices.Contains(Layers(), layer) {
		return Page{ID: id, Means: "The layer " + layer + " could not be looked at. The finding says why."}, true
	}
	return Page{}, false
}

// PageIDs returns the ids that have a page, sorted.
func PageIDs() []string {
	var ids []string
	for _, p := range pages {
		ids = append(ids, p.ID)
	}
	slices.Sort(ids)
	return ids
}

// Markdown returns the page as docs/errors has it.
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
