package doctor

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
)

// Report writes the text for a support request: the findings and the facts behind them,
// in the order in which support asks for them. It contains no secrets; of the token, it
// shows only the decoded header and claims.
type Report struct {
	Version string // of zen
	Now     time.Time
	// Anonymous replaces names of hosts and people, addresses and ids.
	Anonymous bool
}

// Write writes the report as Markdown. It asks again for what the findings don't contain.
func (r Report) Write(ctx context.Context, w io.Writer, o Options, findings []Finding) error {
	if o.Client == nil {
		o.Client = httpclient.Client()
	}
	e := &exam{Options: o, failed: map[string]string{}, skipped: map[string]bool{}}
	e.Report, e.current, e.began = nil, "report", time.Now()
	e.findVerification(ctx)
	if !o.Offline {
		if token, err := o.Session.TokenFor(ctx, 0); err == nil {
			e.issued = token
			e.claims, _ = jwks.DecodeUnverified(token.Value)
			if token.Verification != nil {
				e.issuers = *token.Verification
			}
		}
	}
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# Turso JWKS and sign-in report\n")
	p("## Date\n\n%s\n", r.Now.UTC().Format("January 2, 2006 15:04 UTC"))
	p("## Summary\n\n%s\n", summary(findings))
	p("## Environment\n")
	p("- **zen**: %s, %s/%s", r.Version, runtime.GOOS, runtime.GOARCH)
	p("- **Database URL**: `%s`", o.Profile.Database.Value)
	p("- **Database ID**: `%s`", o.Profile.DatabaseID.Value)
	p("- **Provider**: %s", e.signsIn())
	if e.Turso != nil && !o.Offline {
		if s, err := e.Turso.Subscription(ctx, e.Organization); err == nil {
			p("- **Turso plan**: %s", s.Plan)
		}
	}
	p("\n## Problem description\n\n### Symptoms\n")
	number := 0
	for _, f := range findings {
		if f.Severity == provider.SeverityError || f.Severity == provider.SeverityWarn {
			number++
			p("%d. **%s**: %s", number, f.ID, oneLine(f.Observed))
			if f.Cause != "" {
				p("   Cause: %s", oneLine(f.Cause))
			}
		}
	}
	if number == 0 {
		p("None: every check is ok.")
	}
	r.token(e, p)
	r.keySet(ctx, e, p)
	r.registrations(ctx, e, p)
	r.commands(ctx, e, p)
	p("## Expected behaviour\n")
	p("- Registrations can be removed and saved, and there are never more of them than the limit.")
	p("- A token whose key is in a registered key set is accepted, with the claims that `turso org jwks template` prints.\n")
	p("## Current workaround\n\nA token minted by Turso works, with `zen login --provider platformtoken`. The database itself is unaffected.\n")
	p("## Questions for Turso's support\n")
	for i, q := range questions(findings) {
		p("%d. %s", i+1, q)
	}
	r.plan(ctx, e, p)
	p("\n## All checks\n\n| id | result | observed |\n|---|---|---|")
	for _, f := range findings {
		p("| %s | %s | %s |", f.ID, f.Severity, strings.ReplaceAll(oneLine(f.Observed), "|", "\\|"))
	}
	text := b.String()
	if r.Anonymous {
		text = e.anonymous(text)
	}
	_, err := io.WriteString(w, text)
	return err
}

func summary(findings []Finding) string {
	for _, f := range findings {
		if f.Severity == provider.SeverityError {
			return oneLine(f.Observed) + "."
		}
	}
	return "Every check is ok."
}

func (r Report) token(e *exam, p func(string, ...any)) {
	p("\n### Root cause analysis\n\n#### The token\n")
	if e.issued.Value.IsZero() {
		p("No token could be issued.\n")
		return
	}
	for i, part := range strings.SplitN(e.issued.Value.Reveal(), ".", 3)[:2] {
		text, err := decodePart(part)
		if err != nil {
			continue
		}
		p("%s:\n\n```json\n%s\n```\n", []string{"Header", "Claims"}[i], text)
	}
}

func (r Report) keySet(ctx context.Context, e *exam, p func(string, ...any)) {
	p("#### The issuer's key set\n")
	if e.issuers.KeySetURL == "" || e.Offline {
		p("None was checked.\n")
		return
	}
	keys, err := FetchKeys(ctx, e.Client, e.issuers.KeySetURL)
	if err != nil {
		p("`%s` can't be read: %s\n", e.issuers.KeySetURL, oneLine(err.Error()))
		return
	}
	has := "does not have"
	if slices.Contains(keyIDs(keys), e.claims.KeyID) {
		has = "has"
	}
	p("`%s` has the keys %s; it %s the token's (`%s`).\n", e.issuers.KeySetURL, strings.Join(keyIDs(keys), ", "), has, e.claims.KeyID)
}

func (r Report) registrations(ctx context.Context, e *exam, p func(string, ...any)) {
	p("#### The key sets registered with Turso\n")
	if e.Turso == nil || e.Offline {
		p("They were not requested: %s.\n", noAPIToken)
		return
	}
	sets, err := e.Turso.KeySets(ctx, e.Organization)
	if err != nil {
		p("They can't be listed: %s\n", oneLine(err.Error()))
		return
	}
	p("| name | URL | region |\n|---|---|---|")
	for _, s := range sets {
		p("| %s | %s | %s |", s.Name, s.URL, s.Region)
	}
	if len(sets) > JWKSLimit {
		p("\n**There are %d, and the documented limit is %d.**", len(sets), JWKSLimit)
	}
	p("")
}

// commands writes curl commands that anyone can run, and the answers that zen got.
func (r Report) commands(ctx context.Context, e *exam, p func(string, ...any)) {
	p("### Verification steps\n")
	address := e.address()
	if address == "" || e.Offline {
		p("None were made.\n")
		return
	}
	ask := func(title string, token provider.Secret, placeholder string) {
		p("%s:\n\n```bash\ncurl -s -X POST %q \\\n  -H \"Authorization: Bearer <%s>\" -H \"Content-Type: application/json\" \\\n  -d '%s'\n```\n", title, address+"/v2/pipeline", placeholder, selectOne)
		if token.IsZero() {
			p("Not sent: there is no such token.\n")
			return
		}
		switch answer := e.probeWith(ctx, token, selectOne); {
		case answer.err != nil:
			p("No answer: %s\n", oneLine(plainError(answer.err)))
		case answer.ok:
			p("Answer: HTTP %d, with a row.\n", answer.status)
		default:
			p("Answer: HTTP %d, `%s`. Access-Control-Allow-Origin: %q.\n", answer.status, oneLine(answer.text), answer.header.Get("Access-Control-Allow-Origin"))
		}
	}
	ask("With the token of the sign-in", e.issued.Value, "token")
	if e.Turso != nil {
		minted, err := e.mint(ctx)
		if err != nil {
			p("Turso didn't mint a token for comparison: %s\n", oneLine(err.Error()))
			return
		}
		ask("With a token minted by Turso", minted, "minted-token")
	}
}

// plan writes how much of the plan is used, as turso plan show does.
func (r Report) plan(ctx context.Context, e *exam, p func(string, ...any)) {
	p("\n## Additional information\n\n### The plan\n")
	if e.Turso == nil || e.Offline {
		p("It was not requested: %s.", noAPIToken)
		return
	}
	subscription, err := e.Turso.Subscription(ctx, e.Organization)
	usage, usageErr := e.Turso.Usage(ctx, e.Organization)
	plans, plansErr := e.Turso.Plans(ctx)
	if err := errors.Join(err, usageErr, plansErr); err != nil {
		p("It can't be read: %s", oneLine(err.Error()))
		return
	}
	q := subscription.Quotas(plans)
	p("Plan %s, overages %t.\n\n| resource | used | limit |\n|---|---|---|", subscription.Plan, subscription.Overages)
	for _, row := range []struct {
		name       string
		used, most uint64
	}{
		{"storage (bytes)", usage.StorageBytes, q.Storage}, {"rows read", usage.RowsRead, q.RowsRead}, {"rows written", usage.RowsWritten, q.RowsWritten},
		{"bytes synced", usage.BytesSynced, q.BytesSynced}, {"databases", usage.Databases, q.Databases}, {"groups", usage.Groups, q.Groups},
	} {
		p("| %s | %d | %d |", row.name, row.used, row.most)
	}
}

// questions returns the questions for Turso's support that the findings raise.
func questions(findings []Finding) []string {
	has := func(id string) bool {
		return slices.ContainsFunc(findings, func(f Finding) bool { return f.ID == id })
	}
	var asked []string
	if has("turso.jwks.over-limit") {
		asked = append(asked, "Why are there more key sets than the limit?", "Why do removals fail with \"internal server error\", in the CLI and the dashboard?",
			"Is there a way to clear all registrations of an organization?", "Does another plan raise the limit, or fix this?")
	}
	if has("turso.jwks.key-refused") {
		asked = append(asked, "Why is a token refused although its key is in a registered key set?", "Does a registration's region have to match the region of the database's group?", "How long are key sets cached, and how can one be refreshed?")
	}
	if has("database.invalidated") {
		asked = append(asked, "Which rid does a template need after a rotation?")
	}
	if len(asked) == 0 {
		asked = []string{"What does the first failing check above mean on your side?"}
	}
	return asked
}

var (
	uuidForm  = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`)
	emailForm = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+`)
	idForm    = regexp.MustCompile(`\b(user|org|sess|ins|client|cl)_[A-Za-z0-9]+`)
	hostForm  = regexp.MustCompile(`(libsql|https?)://[A-Za-z0-9.:\[\]-]+`)
)

// anonymous replaces what identifies people and databases. Equal texts get equal
// replacements, so that they can still be compared.
func (e *exam) anonymous(text string) string {
	for _, form := range []struct {
		re   *regexp.Regexp
		word string
	}{{hostForm, "https://host-"}, {uuidForm, "id-"}, {emailForm, "person-"}, {idForm, "id-of-kind-"}} {
		numbers := map[string]int{}
		text = form.re.ReplaceAllStringFunc(text, func(found string) string {
			if strings.HasPrefix(found, "https://host-") {
				return found
			}
			if numbers[found] == 0 {
				numbers[found] = len(numbers) + 1
			}
			return fmt.Sprintf("%s%d", form.word, numbers[found])
		})
	}
	return text
}

func decodePart(part string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return "", err
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return "", err
	}
	text, err := json.MarshalIndent(value, "", "  ")
	return string(text), err
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
