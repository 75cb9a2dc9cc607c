package doctor

import (
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
	text   string // of a refusal, on one line
	took   time.Duration
	err    error // where there was no answer
	ok     bool
}

// unknownKey reports the refusal that zen was made for.
func (p *probe) unknownKey() bool {
	return p != nil && !p.ok && strings.Contains(p.text, "can't be decoded with any of the existin")
}

const selectOne = `{"requests":[{"type":"execute","stmt":{"sql":"SELECT 1"}},{"type":"close"}]}`

// probeWith asks the database with a token, as a page of the origin would.
func (e *exam) probeWith(ctx context.Context, token provider.Secret) *probe {
	began := time.Now()
	resp, body, err := e.ask(ctx, http.MethodPost, e.address()+"/v2/pipeline", http.Header{
		"Authorization": {"Bearer " + token.Reveal()}, "Content-Type": {"application/json"}, "Origin": {e.origin()},
	}, selectOne)
	p := &probe{took: time.Since(began), err: err}
	if err != nil {
		return p
	}
	p.status, p.header = resp.StatusCode, resp.Header
	var answer struct {
		Results []struct {
			Type  string
			Error struct{ Message, Code string }
		}
	}
	parsed := json.Unmarshal(body, &answer) == nil
	switch {
	case resp.StatusCode == http.StatusOK && parsed && len(answer.Results) > 0 && answer.Results[0].Type == "ok":
		p.ok = true
	case resp.StatusCode == http.StatusOK && parsed && len(answer.Results) > 0:
		p.text = answer.Results[0].Error.Message + " (" + answer.Results[0].Error.Code + ")"
	default:
		p.text = text.Reason(body, 300)
	}
	return p
}

// asked is the probe with the profile's token, made once; nil where there is no token.
func (e *exam) asked(ctx context.Context) *probe {
	if e.probed == nil && !e.issued.Value.IsZero() && e.failed["token"] == "" {
		e.probed = e.probeWith(ctx, e.issued.Value)
	}
	return e.probed
}

// database asks SELECT 1 with the profile's token and, where that fails, with one that
// Turso mints: so that broken keys are told from a broken database.
func (e *exam) database(ctx context.Context) {
	p := e.asked(ctx)
	if p != nil && p.ok {
		e.ok("database.ok", fmt.Sprintf("SELECT 1 with this token took %s", p.took.Round(100*time.Microsecond)))
		return
	}
	if p != nil {
		e.add(refusal(p))
	}
	if e.Turso == nil {
		if p == nil {
			e.skip("it needs a token, and none could be had")
		}
		return
	}
	minted, err := e.mint(ctx)
	if err != nil {
		e.add(Finding{ID: "database.not-minted", Severity: provider.SeverityWarn, Kind: kindOr(err, provider.ErrUnavailable), Observed: "Turso mints no token to compare with: " + err.Error()})
		return
	}
	if second := e.probeWith(ctx, minted); second.ok {
		e.ok("database.minted", "SELECT 1 with a token that Turso minted works: the sign-in's tokens are what is wrong, not the database")
	} else {
		f := refusal(second)
		f.ID, f.Observed = "database.minted-refused", "with a token that Turso minted: "+f.Observed
		e.add(f)
	}
}

// refusal says what a failed probe means.
func refusal(p *probe) Finding {
	f := Finding{ID: "database.refused", Severity: provider.SeverityError, Kind: provider.ErrRejected}
	f.Observed = fmt.Sprintf("the database answered %d: %s", p.status, p.text)
	switch {
	case p.err != nil:
		f.ID, f.Kind, f.Observed = "database.unavailable", kindOr(p.err, provider.ErrUnavailable), "the database did not answer SELECT 1: "+plainError(p.err)
		f.Next = provider.Hint(p.err)
	case p.unknownKey():
		f.Cause, f.Next = "Turso knows no key that made the token's signature", "zen login --provider platformtoken gets around it; zen doctor --only jwks says more"
	case strings.Contains(p.text, "role was invalidated"):
		f.ID, f.Cause = "database.invalidated", "the tokens of the database or group were rotated after this one was issued"
		f.Next = "a JWT template needs the new rid: zen jwks template; a minted token: zen login --provider platformtoken"
	case strings.Contains(p.text, "does not have the permissions"):
		f.ID, f.Kind, f.Cause, f.Next = "database.not-allowed", provider.ErrPermission, "the token is valid, but not for this database", "zen explain - says what the token is for"
	case strings.Contains(p.text, "xpired"):
		f.ID, f.Kind, f.Cause, f.Next = "database.expired", provider.ErrTokenExpired, "the database's clock is past the token's end", "compare the clocks: zen doctor --only clock"
	case strings.Contains(p.text, "BLOCKED"):
		f.ID, f.Kind, f.Cause, f.Next = "plan.blocked", provider.ErrPermission, "the plan's quota is used up, or the owner stopped reads or writes", "turso plan show"
	case p.status == http.StatusNotFound:
		f.ID, f.Kind, f.Next = "database.not-found", provider.ErrConfig, "zen db list shows the databases"
	case p.status >= 500 || p.status == http.StatusTooManyRequests:
		f.ID, f.Kind, f.Next = "database.unavailable", provider.ErrUnavailable, "try again later"
	}
	return f
}

// mint has Turso make a token that reads the profile's database for a minute.
func (e *exam) mint(ctx context.Context) (provider.Secret, error) {
	d, err := e.findDatabase(ctx)
	if err != nil {
		return provider.Secret{}, err
	}
	jwt, err := e.Turso.CreateDatabaseToken(ctx, e.Organization, d.Name, turso.TokenOptions{Expiration: time.Minute, Authorization: turso.ReadOnly})
	return provider.NewSecret(jwt), err
}

// cors looks at what a browser would be told.
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
			Observed: fmt.Sprintf("a page of %s may not ask the database: the preflight was answered %d, Access-Control-Allow-Origin %q", e.origin(), e.contact.status, allowed),
			Next:     "programs that are no browser are not concerned",
		})
	default:
		e.ok("cors.preflight", "pages of "+e.origin()+" may ask the database")
	}
	if p := e.asked(ctx); p != nil && !p.ok && p.err == nil && p.status >= 400 && p.header.Get("Access-Control-Allow-Origin") == "" {
		e.add(Finding{
			ID: "cors.hides-refusal", Severity: provider.SeverityWarn, Kind: provider.ErrRejected,
			Observed: fmt.Sprintf("a browser calls this %d a CORS error: the answer has no Access-Control-Allow-Origin", p.status),
			Cause:    "Turso leaves the header out of refusals; nothing is wrong with CORS",
			Next:     "mend the refusal above",
		})
	}
}
