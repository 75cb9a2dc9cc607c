package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
	"github.com/zen-auth/zen/internal/text"
)

// probe is one SELECT 1 with a token.
type probe struct {
	status int
	header http.Header
	text   string // why it was refused, on one line
	took   time.Duration
	err    error // if there was no answer
	ok     bool
	// writes is the database's reason for refusing writes, if it was asked andWrite. baton
	// continues the stream, if the probe left it open.
	writes, baton string
}

// unknownKey reports whether this is the refusal that zen was written for: Turso has no
// key with the token's kid, or has another key, if the issuer kept the kid for a new one.
func (p *probe) unknownKey() bool {
	return p != nil && !p.ok && (strings.Contains(p.text, "can't be decoded with any of the existin") || strings.Contains(p.text, "InvalidSignature"))
}

// The requests of a probe. The last two leave the stream open. The pragma counts as a
// write, so it is refused where writes are, but it only changes the stream that it runs on.
const (
	selectOne     = `{"requests":[{"type":"execute","stmt":{"sql":"SELECT 1"}},{"type":"close"}]}`
	selectOneOpen = `{"requests":[{"type":"execute","stmt":{"sql":"SELECT 1"}}]}`
	andWrite      = `{"requests":[{"type":"execute","stmt":{"sql":"SELECT 1"}},{"type":"execute","stmt":{"sql":"PRAGMA foreign_keys=ON"}}]}`
)

// probeWith sends a request with a token to the database, as a page of the origin would.
func (e *exam) probeWith(ctx context.Context, token provider.Secret, question string) *probe {
	began := time.Now()
	resp, body, err := e.ask(ctx, http.MethodPost, e.address()+"/v2/pipeline", http.Header{
		"Authorization": {"Bearer " + token.Reveal()}, "Content-Type": {"application/json"}, "Origin": {e.origin()},
	}, question)
	p := &probe{took: time.Since(began), err: err}
	if err != nil {
		return p
	}
	p.status, p.header = resp.StatusCode, resp.Header
	var answer struct {
		Baton   string
		Results []struct {
			Type  string
			Error struct{ Message, Code string }
		}
	}
	if json.Unmarshal(body, &answer) != nil || resp.StatusCode != http.StatusOK || len(answer.Results) == 0 {
		p.text = text.Reason(body, 300)
		return p
	}
	p.baton = answer.Baton
	if first := answer.Results[0]; first.Type == "ok" {
		p.ok = true
	} else {
		p.text = text.Line(first.Error.Message+" ("+first.Error.Code+")", 300)
	}
	if question == andWrite && len(answer.Results) > 1 {
		p.writes = answer.Results[1].Error.Message
	}
	return p
}

// mayWrite reports whether the token's claims allow writing to every table.
func (e *exam) mayWrite() bool {
	d := e.claims.Database
	return d != nil && d.Access == provider.AccessReadWrite && len(d.Permissions) == 0
}

// asked returns the probe with the profile's token, or nil if there is no token. It sends
// the request only once.
func (e *exam) asked(ctx context.Context) *probe {
	if e.probed == nil && !e.issued.Value.IsZero() && e.failed["token"] == "" {
		question := selectOneOpen
		if e.mayWrite() {
			question = andWrite
		}
		e.probed = e.probeWith(ctx, e.issued.Value, question)
	}
	return e.probed
}

// database sends SELECT 1 with the profile's token. If that fails, it tries a token minted
// by Turso, which shows whether the keys or the database are broken.
func (e *exam) database(ctx context.Context) {
	p := e.asked(ctx)
	if p != nil && p.ok {
		if strings.Contains(p.writes, "are blocked") {
			e.add(blocked(p.writes))
		} else {
			e.ok("database.ok", fmt.Sprintf("SELECT 1 with this token took %s", p.took.Round(100*time.Microsecond)))
		}
		e.stream(ctx, p)
		e.replicas(ctx)
		return
	}
	if p != nil {
		e.add(refusal(p))
		// As far as is known, Turso Cloud ignores the audience.
		if len(e.claims.Audience) > 0 && e.claims.Issuer != "" && strings.Contains(p.text, "Authentication failed") {
			e.add(Finding{
				ID: "token.audience", Severity: provider.SeverityWarn, Kind: provider.ErrConfig,
				Observed: "the token has the audience " + strings.Join(e.claims.Audience, ", "),
				Cause:    "a plain libsql-server refuses tokens that have an audience", Next: "remove aud from the template, or use a token minted by Turso",
			})
		}
	}
	if e.Turso == nil {
		if p == nil {
			e.skip("it needs a token, but none could be issued")
		}
		return
	}
	minted, err := e.mint(ctx)
	if err != nil {
		e.add(Finding{ID: "database.not-minted", Severity: provider.SeverityWarn, Kind: cmp.Or(provider.Kind(err), provider.ErrUnavailable), Observed: "Turso didn't mint a token for comparison: " + err.Error()})
		return
	}
	if second := e.probeWith(ctx, minted, selectOne); second.ok {
		e.ok("database.minted", "SELECT 1 works with a token minted by Turso: the problem is in the tokens of the sign-in, not in the database")
	} else {
		f := refusal(second)
		f.ID, f.Observed = "database.minted-refused", "with a token minted by Turso: "+f.Observed
		e.add(f)
	}
}

// refusal says what a failed probe means.
func refusal(p *probe) Finding {
	f := Finding{ID: "database.refused", Severity: provider.SeverityError, Kind: provider.ErrRejected}
	f.Observed = fmt.Sprintf("the database answered %d: %s", p.status, p.text)
	switch {
	case p.err != nil:
		f.ID, f.Kind, f.Observed = "database.unavailable", cmp.Or(provider.Kind(p.err), provider.ErrUnavailable), "the database did not answer SELECT 1: "+plainError(p.err)
		f.Next = provider.Hint(p.err)
	case p.unknownKey():
		f.Cause, f.Next = "Turso has no key that matches the token's signature", "zen login --provider platformtoken uses tokens minted by Turso; zen doctor --only jwks says more"
	case strings.Contains(p.text, "role was invalidated"):
		f.ID, f.Cause = "database.invalidated", "the tokens of the database or group were rotated after this one was issued"
		f.Next = "put the new rid that zen jwks template prints into the issuer's template, or use tokens minted by Turso: zen login --provider platformtoken"
	case strings.Contains(p.text, "does not have the permissions"):
		f.ID, f.Kind, f.Cause, f.Next = "database.not-allowed", provider.ErrPermission, "the token is valid, but not for this database", "zen explain - says what the token is for"
	case strings.Contains(p.text, "xpired"):
		f.ID, f.Kind, f.Cause, f.Next = "database.expired", provider.ErrTokenExpired, "the token's expiry has passed by the database's clock", "compare the clocks: zen doctor --only clock"
	case strings.Contains(p.text, "BLOCKED"):
		return blocked(p.text)
	case p.status == http.StatusNotFound:
		f.ID, f.Kind, f.Next = "database.not-found", provider.ErrConfig, "zen db list shows the databases"
	case p.status >= 500 || p.status == http.StatusTooManyRequests:
		f.ID, f.Kind, f.Next = "database.unavailable", provider.ErrUnavailable, "try again later"
	}
	return f
}

// blocked reports that the database answers BLOCKED: a quota is missing, not a permission.
func blocked(text string) Finding {
	return Finding{
		ID: "plan.blocked", Severity: provider.SeverityError, Kind: provider.ErrPermission, Observed: "the database answered: " + text,
		Cause: "the plan's quota is used up, or the owner stopped reads or writes", Next: "turso plan show",
	}
}

// stream sends a second request on the stream of a probe, as a transaction does for each
// statement, and closes the stream.
func (e *exam) stream(ctx context.Context, p *probe) {
	if p.baton == "" {
		return
	}
	baton, err := json.Marshal(p.baton)
	if err != nil {
		return
	}
	again := e.probeWith(ctx, e.issued.Value, `{"baton":`+string(baton)+`,"requests":[{"type":"execute","stmt":{"sql":"SELECT 1"}},{"type":"close"}]}`)
	if again.ok {
		return
	}
	e.add(Finding{
		ID: "database.stream", Severity: provider.SeverityWarn, Kind: provider.ErrUnavailable,
		Observed: strings.TrimSpace(fmt.Sprintf("the database lost a stream between two requests: %d %s", again.status, again.text)),
		Cause:    "transactions need several requests on one stream; single statements work", Next: "try again later, or send statements that belong together as one batch",
	})
}

// replicas sends the first request that an embedded replica would send.
func (e *exam) replicas(ctx context.Context) {
	resp, body, err := e.ask(ctx, http.MethodGet, e.address()+"/info", http.Header{"Authorization": {"Bearer " + e.issued.Value.Reveal()}}, "")
	if err != nil {
		return // the database was reached a moment ago
	}
	f := Finding{
		ID: "database.replica", Severity: provider.SeverityWarn, Kind: provider.ErrUnavailable,
		Observed: fmt.Sprintf("an embedded replica would get the answer %d: %s", resp.StatusCode, text.Reason(body, 300)),
		Next:     "zen db works without a replica, with --mode remote",
	}
	switch s := resp.StatusCode; {
	case s == http.StatusForbidden && strings.Contains(f.Observed, "embedded replicas"):
		f.Kind, f.Cause = provider.ErrPermission, "the plan or the database's location doesn't support replicas"
	case s == http.StatusTooManyRequests, s >= 500:
		f.Cause = "replicas can't be synced at the moment"
	default: // the server has no replicas, or the token isn't for them
		return
	}
	e.add(f)
}

// mint has Turso mint a token that can read the profile's database for a minute.
func (e *exam) mint(ctx context.Context) (provider.Secret, error) {
	d, err := e.findDatabase(ctx)
	if err != nil {
		return provider.Secret{}, err
	}
	jwt, err := e.Turso.CreateDatabaseToken(ctx, e.Organization, d.Name, turso.TokenOptions{Expiration: time.Minute, Authorization: turso.ReadOnly})
	return provider.NewSecret(jwt), err
}

// cors checks whether a browser would let a page query the database.
func (e *exam) cors(ctx context.Context) {
	if e.contact == nil {
		e.skip("the database was not reached")
		return
	}
	allowed := e.contact.header.Get("Access-Control-Allow-Origin")
	switch {
	case e.contact.status/100 != 2 || allowed == "":
		e.add(Finding{
			ID: "cors.preflight", Severity: provider.SeverityWarn, Kind: provider.ErrConfig,
			Observed: fmt.Sprintf("pages of %s may not query the database: the answer to the preflight request is %d, with Access-Control-Allow-Origin %q", e.origin(), e.contact.status, allowed),
			Next:     "only browsers are affected; other programs can query the database",
		})
	default:
		e.ok("cors.preflight", "pages of "+e.origin()+" may query the database")
	}
	if p := e.asked(ctx); p != nil && !p.ok && p.err == nil && p.status >= 400 && p.header.Get("Access-Control-Allow-Origin") == "" {
		e.add(Finding{
			ID: "cors.hides-refusal", Severity: provider.SeverityWarn, Kind: provider.ErrRejected,
			Observed: fmt.Sprintf("browsers report this %d as a CORS error, because the answer has no Access-Control-Allow-Origin", p.status),
			Cause:    "Turso sends refusals without that header; CORS itself is fine",
			Next:     "fix the refusal above",
		})
	}
}
