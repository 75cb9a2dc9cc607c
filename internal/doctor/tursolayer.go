package doctor

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

// apiState is the result of asking the Platform API.
type apiState struct {
	sets  []turso.KeySet
	found func() (turso.Database, error) // the profile's database
}

// JWKSLimit is how many registrations Turso allows an organization on its smallest plan,
// according to its own message ("jwks count limit(2) exceeded"). The limits of other plans
// are not published.
const JWKSLimit = 2

// noAPIToken says what a Platform API token is needed for.
const noAPIToken = "there is no Turso API token: set TURSO_API_TOKEN (the scope read is enough)"

// turso checks the organization's registrations, and whether one of them contains the
// token's key.
func (e *exam) turso(ctx context.Context) {
	p := e.asked(ctx)
	defer e.tellFailure("jwks save", "turso.jwks.save-fails")
	fromIssuer := e.claims.Issuer != ""
	if e.Turso == nil {
		if fromIssuer && p.unknownKey() {
			e.add(keyRefused(e.claims, "", noAPIToken))
			return
		}
		e.skip(noAPIToken)
		return
	}
	sets, err := e.Turso.KeySets(ctx, e.Organization)
	if err != nil {
		severity := provider.SeverityWarn
		if slices.Contains(e.providerNames(), "platformtoken") && !slices.Contains(e.Profile.Fallback.Value, "platformtoken") {
			severity = provider.SeverityError
		}
		if fromIssuer && p.unknownKey() {
			e.add(keyRefused(e.claims, "", "the registrations can't be listed"))
		}
		e.add(Finding{ID: "turso.api", Severity: severity, Kind: apiKind(err), Observed: err.Error(), Next: "check TURSO_API_TOKEN, or enter another token with zen login --provider platformtoken"})
		return
	}
	e.api.sets = sets
	holder, region := e.holder(ctx, sets)
	switch {
	case !fromIssuer:
	case region != "" && (p == nil || !p.ok):
		e.add(e.elsewhere(holder, region, p.unknownKey()))
	case p.unknownKey() && holder.Name != "":
		e.add(keyRefused(e.claims, holder.Name, ""))
	case p.unknownKey() && e.registered(sets):
		e.add(Finding{
			ID: "turso.jwks.key-missing", Severity: provider.SeverityError, Kind: provider.ErrRejected,
			Observed: fmt.Sprintf("the issuer is registered with Turso, but none of the registrations contains the token's key (kid %s)", e.claims.KeyID),
			Cause:    "the issuer has rotated its keys, or publishes other keys at the registered URL", Next: "zen jwks check",
		})
	case p.unknownKey() || p == nil && !e.registered(sets):
		e.add(Finding{
			ID: "turso.jwks.not-registered", Severity: provider.SeverityError, Kind: provider.ErrRejected,
			Observed: fmt.Sprintf("the key set of %s is not registered with Turso", e.claims.Issuer),
			Next:     fmt.Sprintf("zen jwks save NAME %s", e.issuers.KeySetURL),
		})
	case holder.Name != "":
		e.ok("turso.jwks.registered", fmt.Sprintf("the registration %q contains the token's key", holder.Name))
	}
	e.lookAtSets(sets, p.unknownKey())
	for _, s := range sets { // a failed removal doesn't matter once the registration is gone
		defer e.tellFailure(RemoveCommand(s.Name), "turso.jwks.remove-fails")
	}
	if len(sets) == 0 {
		e.ok("turso.jwks.list", "no key set is registered")
	} else if e.failed["turso"] == "" {
		e.ok("turso.jwks.list", "registered: "+strings.Join(setNames(sets), ", "))
	}
}

// keyRefused reports the failure that zen was written for: the token is good, but Turso
// does not accept its key. holder is the registration that contains the key; if it isn't
// known, why says so.
func keyRefused(c provider.Claims, holder, why string) Finding {
	f := Finding{
		ID: "turso.jwks.key-refused", Severity: provider.SeverityError, Kind: provider.ErrRejected,
		Observed: fmt.Sprintf("Turso does not accept the key that signed this token (kid %s, issuer %s)", c.KeyID, c.Issuer),
		Cause:    why,
		Next:     "zen login --provider platformtoken uses tokens minted by Turso; zen doctor --report FILE writes a report for Turso's support",
	}
	if holder != "" {
		f.Cause = fmt.Sprintf("the registration %q contains this key, but Turso refuses it anyway: this is a fault at Turso", holder)
	}
	return f
}

// elsewhere reports that all registrations that contain the token's key are for another
// region than the database's. refused says that the database refused the key.
func (e *exam) elsewhere(holder turso.KeySet, region string, refused bool) Finding {
	f := Finding{
		ID: "turso.jwks.region", Severity: provider.SeverityWarn, Kind: provider.ErrRejected,
		Observed: fmt.Sprintf("the registration %q, which contains the token's key, is for the region %s, but the database is in %s", holder.Name, holder.Region, region),
		Next:     fmt.Sprintf("zen jwks save --region %s %q %s", region, holder.Name, holder.URL),
		Fix: &Fix{
			Text: fmt.Sprintf("save the registration %q for the region %s", holder.Name, region),
			Do: func(ctx context.Context, _ map[string]provider.Secret, _ func(string)) error {
				return APIError(e.Turso.SaveKeySet(ctx, e.Organization, turso.KeySet{Name: holder.Name, URL: holder.URL, Region: region}))
			},
		},
	}
	if refused {
		f.Severity, f.Cause = provider.SeverityError, "Turso only uses registrations for the database's own region"
	}
	return f
}

// lookAtSets reports what is wrong with the registrations themselves, and offers repairs.
func (e *exam) lookAtSets(sets []turso.KeySet, refused bool) {
	for _, f := range CheckKeySets(sets, refused) {
		if name := surplus(sets); name != "" && (f.ID == "turso.jwks.over-limit" || f.ID == "turso.jwks.duplicate") {
			f.Fix = &Fix{
				Text: fmt.Sprintf("remove the registration %q, whose key set is registered twice", name),
				Do: func(ctx context.Context, _ map[string]provider.Secret, tell func(string)) error {
					return RemoveKeySet(ctx, e.Turso, e.Organization, name, nil, tell)
				},
			}
		}
		e.add(f)
	}
}

// CheckKeySets returns what is wrong with a list of registrations, as far as the list
// itself shows it. refused says that Turso refuses a key that one of them contains.
func CheckKeySets(sets []turso.KeySet, refused bool) []Finding {
	var found []Finding
	if len(sets) > JWKSLimit {
		severity := provider.SeverityWarn
		if refused {
			severity = provider.SeverityError
		}
		found = append(found, Finding{
			ID: "turso.jwks.over-limit", Severity: severity, Kind: provider.ErrRejected,
			Observed: fmt.Sprintf("%d key sets are registered, but only %d are allowed: %s", len(sets), JWKSLimit, strings.Join(setNames(sets), ", ")),
			Cause:    "over the limit, Turso neither saves nor removes registrations, neither in its CLI nor in the dashboard",
			Next:     "zen jwks remove NAME tries every region and checks the list again; if that fails, zen doctor --report FILE",
		})
	}
	seen := map[string]string{}
	for _, s := range sets {
		if other, ok := seen[s.URL]; ok {
			found = append(found, Finding{
				ID: "turso.jwks.duplicate", Severity: provider.SeverityWarn, Kind: provider.ErrConfig,
				Observed: fmt.Sprintf("%q and %q are registrations for the same key set", other, s.Name), Next: fmt.Sprintf("zen jwks remove %q", s.Name),
			})
		}
		seen[s.URL] = s.Name
		if issuer := PublicIssuer(s.URL); issuer != "" {
			found = append(found, Finding{
				ID: "turso.jwks.public-issuer", Severity: provider.SeverityError, Kind: provider.ErrPermission,
				Observed: fmt.Sprintf("the registration %q gives everyone with an account at %s access to every database of the organization", s.Name, issuer),
				Cause:    "their tokens have no database claims, which Turso treats as access to everything", Next: fmt.Sprintf("zen jwks remove %q", s.Name),
			})
		}
	}
	return found
}

// publicIssuers are the hosts of issuers from which anyone can get a token, with their names.
var publicIssuers = map[string]string{
	"token.actions.githubusercontent.com": "GitHub", "gitlab.com": "GitLab", "www.googleapis.com": "Google", "accounts.google.com": "Google",
	"login.microsoftonline.com": "Microsoft", "appleid.apple.com": "Apple", "agent.buildkite.com": "Buildkite", "oidc.circleci.com": "CircleCI",
	"www.facebook.com": "Facebook", "login.yahoo.com": "Yahoo", "slack.com": "Slack", "api.bitbucket.org": "Bitbucket", "oidc.vercel.com": "Vercel",
	"app.terraform.io": "Terraform Cloud", "oauth.telegram.org": "Telegram",
}

// PublicIssuer returns the name of the issuer whose key set is at a URL if anyone can get
// a token from that issuer, and "" otherwise.
func PublicIssuer(keySet string) string {
	u, err := url.Parse(keySet)
	if err != nil {
		return ""
	}
	return publicIssuers[strings.ToLower(u.Hostname())]
}

func setNames(sets []turso.KeySet) []string {
	var names []string
	for _, s := range sets {
		names = append(names, fmt.Sprintf("%q", s.Name))
	}
	return names
}

// registered reports whether the issuer's key set is among the registrations.
func (e *exam) registered(sets []turso.KeySet) bool {
	return e.issuers.KeySetURL != "" && slices.ContainsFunc(sets, func(s turso.KeySet) bool { return s.URL == e.issuers.KeySetURL })
}

// maxFetched bounds how many registrations are fetched to look for a key.
const maxFetched = 5

// holder returns a registration that contains the token's key and is valid in the
// database's region; one without a region is valid everywhere. If there are only
// registrations for other regions, it returns one of them and the database's region.
func (e *exam) holder(ctx context.Context, sets []turso.KeySet) (found turso.KeySet, region string) {
	for _, s := range e.holders(ctx, sets) {
		if s.Region == "" {
			return s, ""
		}
		d, err := e.findDatabase(ctx)
		if err != nil || d.PrimaryRegion == "" || d.PrimaryRegion == s.Region {
			return s, "" // it matches, or the database's region isn't known
		}
		if region == "" {
			found, region = s, d.PrimaryRegion
		}
	}
	return found, region
}

// holders returns the registrations that contain the token's key.
func (e *exam) holders(ctx context.Context, sets []turso.KeySet) (found []turso.KeySet) {
	if e.claims.KeyID == "" {
		return nil
	}
	has := func(keys []jwks.Key) bool {
		return slices.ContainsFunc(keys, func(k jwks.Key) bool { return k.ID == e.claims.KeyID })
	}
	fetched := map[string][]jwks.Key{}
	if e.keys != nil {
		fetched[e.keys.URL] = e.keys.Keys
		if has(e.keys.Keys) {
			found = slices.DeleteFunc(slices.Clone(sets), func(s turso.KeySet) bool { return s.URL != e.keys.URL })
		}
		if len(found) > 0 {
			return found
		}
	}
	for _, s := range sets {
		keys, ok := fetched[s.URL]
		if !ok && len(fetched) < maxFetched {
			var err error
			if keys, err = FetchKeys(ctx, e.Client, s.URL); err != nil {
				e.add(Finding{
					ID: "turso.jwks.unreachable", Severity: provider.SeverityWarn, Kind: cmp.Or(provider.Kind(err), provider.ErrUnavailable),
					Observed: fmt.Sprintf("the key set of the registration %q can't be read: %v", s.Name, err), Next: fmt.Sprintf("zen jwks remove %q, if it is no longer used", s.Name),
				})
			}
			fetched[s.URL] = keys
		}
		if has(keys) {
			found = append(found, s)
		}
	}
	return found
}

// findDatabase finds the profile's database in the organization, once.
func (e *exam) findDatabase(ctx context.Context) (turso.Database, error) {
	if e.api.found == nil {
		d, err := FindDatabase(ctx, e.Turso, e.Organization, e.Profile.Target())
		e.api.found = func() (turso.Database, error) { return d, err }
	}
	return e.api.found()
}

// plan checks what the owner's plan allows, and what is blocked.
func (e *exam) plan(ctx context.Context) {
	if e.Turso == nil {
		e.skip(noAPIToken)
		return
	}
	d, err := e.findDatabase(ctx)
	if err != nil {
		if provider.Kind(err) == provider.ErrConfig {
			e.add(Finding{
				ID: "turso.database", Severity: provider.SeverityWarn, Kind: provider.ErrConfig,
				Observed: "the API token's organization has no database with this URL or id", Next: "zen db list shows its databases; check whether the database belongs to another organization",
			})
			return
		}
		e.add(Finding{ID: "turso.api", Severity: provider.SeverityWarn, Kind: provider.Kind(err), Observed: err.Error()})
		return
	}
	if id := e.Profile.DatabaseID.Value; id != "" && id != d.ID {
		e.add(Finding{
			ID: "turso.database-id", Severity: provider.SeverityError, Kind: provider.ErrConfig,
			Observed: fmt.Sprintf("the database at this URL has the id %s, but the profile says %s", d.ID, id),
			Cause:    "it was deleted and recreated, or the URL is another database's", Next: "zen config set database_id " + d.ID,
		})
		return
	}
	for _, look := range []func(context.Context, turso.Database) (Finding, error){e.blocks, e.asleep, e.doors, e.quota} {
		f, err := look(ctx, d)
		if err != nil {
			e.add(Finding{ID: "turso.api", Severity: provider.SeverityWarn, Kind: apiKind(err), Observed: err.Error()})
			return
		}
		if f.ID != "" {
			e.add(f)
		}
	}
}

// blocks checks whether the owner or the plan blocks reads or writes.
func (e *exam) blocks(ctx context.Context, d turso.Database) (Finding, error) {
	reads, writes, err := e.Turso.Blocked(ctx, e.Organization)
	if err != nil {
		return Finding{}, err
	}
	who := "the owner has"
	if reads || writes {
		who = "the plan's quota is used up, which has"
	}
	reads, writes = reads || d.BlockedReads, writes || d.BlockedWrites
	what := "writes"
	switch {
	case reads:
		what = "reads and writes"
	case !writes || e.Profile.Access.Value == provider.AccessReadOnly:
		return Finding{}, nil
	}
	return Finding{
		ID: "plan.blocked", Severity: provider.SeverityError, Kind: provider.ErrPermission,
		Observed: fmt.Sprintf("%s of the database %s are blocked", what, d.Name), Cause: who + " stopped them", Next: "turso plan show",
	}, nil
}

// asleep checks whether the database's group is archived.
func (e *exam) asleep(_ context.Context, d turso.Database) (Finding, error) {
	if !d.Sleeping {
		return Finding{}, nil
	}
	return Finding{
		ID: "plan.archived", Severity: provider.SeverityError, Kind: provider.ErrUnavailable,
		Observed: fmt.Sprintf("the database %s is archived", d.Name), Cause: "Turso archives groups that have not been used for a long time", Next: "turso group unarchive " + d.Group,
	}, nil
}

// doors checks which networks may query the database.
func (e *exam) doors(ctx context.Context, d turso.Database) (Finding, error) {
	c, err := e.Turso.Configuration(ctx, e.Organization, d.Name)
	allowed := slices.Concat(c.AllowedIPs, c.AllowedVPCs)
	if err != nil || len(allowed) == 0 {
		return Finding{}, err
	}
	return Finding{
		ID: "plan.allow-rules", Severity: provider.SeverityWarn, Kind: provider.ErrPermission,
		Observed: fmt.Sprintf("the database %s only answers requests from these networks: %.300s", d.Name, strings.Join(allowed, ", ")), Next: "check whether this machine is in one of them: turso db show " + d.Name,
	}, nil
}

// nearlyUsed is the used part of a quota from which on it is reported.
const nearlyUsed = 0.9

// quota compares the usage with the plan's quotas.
func (e *exam) quota(ctx context.Context, _ turso.Database) (Finding, error) {
	subscription, err := e.Turso.Subscription(ctx, e.Organization)
	if err != nil {
		return Finding{}, err
	}
	usage, err := e.Turso.Usage(ctx, e.Organization)
	if err != nil {
		return Finding{}, err
	}
	plans, err := e.Turso.Plans(ctx)
	if err != nil {
		return Finding{}, err
	}
	quotas := subscription.Quotas(plans)
	var used []string
	for _, q := range []struct {
		what       string
		used, most uint64
	}{
		{"rows read", usage.RowsRead, quotas.RowsRead}, {"rows written", usage.RowsWritten, quotas.RowsWritten},
		{"bytes of storage", usage.StorageBytes, quotas.Storage}, {"bytes synced", usage.BytesSynced, quotas.BytesSynced},
	} {
		if q.most > 0 && float64(q.used) >= nearlyUsed*float64(q.most) {
			used = append(used, fmt.Sprintf("%d of %d %s", q.used, q.most, q.what))
		}
	}
	if len(used) > 0 && !subscription.Overages {
		return Finding{
			ID: "plan.nearly-used", Severity: provider.SeverityWarn, Kind: provider.ErrPermission,
			Observed: fmt.Sprintf("the plan %s is nearly used up: %s", subscription.Plan, strings.Join(used, ", ")),
			Cause:    "once a quota is used up, Turso blocks reads or writes unless overages are on", Next: "turso plan show",
		}, nil
	}
	if e.failed["plan"] != "" {
		return Finding{}, nil
	}
	return Finding{
		ID: "plan.ok", Severity: provider.SeverityOK,
		Observed: fmt.Sprintf("plan %s: %d rows read, %d written, %d databases; nothing is blocked", subscription.Plan, usage.RowsRead, usage.RowsWritten, usage.Databases),
	}, nil
}
