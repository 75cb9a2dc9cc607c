package live

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/internal/private"
)

// byHand are questions that no run can answer.
var byHand = []struct{ asked, how string }{
	{"Does Clerk's kid stay the same when the signing key is rotated, and do both keys stay in the key set for a while?", "a rotation ends every session: rotate in the dashboard, and compare the key sets before and after"},
	{"With what code does a production instance refuse POST /v1/sessions?", `curl -X POST https://api.clerk.com/v1/sessions -H "Authorization: Bearer sk_live_..." -H "Content-Type: application/json" -d '{"user_id":"user_..."}'`},
	{"May http on the loopback be in Clerk's list of redirect URLs?", `curl -X POST https://api.clerk.com/v1/redirect_urls -H "Authorization: Bearer sk_test_..." -H "Content-Type: application/json" -d '{"url":"http://127.0.0.1/callback"}'`},
	{"Does an OAuth application of Clerk's give a refresh token without offline_access?", "sign in with an explicit scope that lacks it"},
	{"Does Turso look at iss?", "only an Auth0 custom domain has two issuers with one key: ask for a token at each"},
	{"Which algorithms beside RS256 does Turso take?", "set the API's signing algorithm to PS256 in the Auth0 dashboard, and run U1 and U2 again"},
	{"To which name does turso auth login come back, localhost or 127.0.0.1?", "turso auth login, and read the address bar"},
	{"Has Turso's OAuth a refresh token?", "curl https://api.turso.tech/.well-known/oauth-authorization-server, and read grant_types_supported"},
	{"What separates names and ids in the sub of a GitHub job's token?", "print the sub of a job's token in a repository that was made after July 2026"},
	{"How many registrations do other plans than yours allow?", "R9 in an organization of another plan"},
	{"Can a registration that is stuck be removed with its region?", "zen jwks remove NAME --region REGION, in an organization that has one"},
}

// verdict returns the result in a word or two.
func (r result) verdict() string {
	switch {
	case r.skipped != "":
		return "not asked"
	case r.got["failed"] != "":
		return "FAILED"
	case len(r.differences) > 0:
		return "DIFFERENT"
	}
	return "as expected"
}

// write writes the transcript to a file that only the user can read.
func (d report) write(path string, reference map[string]answer) error {
	return private.Replace(path, []byte(d.transcript(reference)), 0o600)
}

// transcript returns all questions and exchanges, with the table of answers at the end.
func (d report) transcript(reference map[string]answer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Transcript of %s\n\nSecrets, accounts and addresses are replaced. Read it before you send it.\n", d.started.UTC().Format(time.RFC3339))
	d.section(&b, "Before", "before")
	for _, r := range d.results {
		fmt.Fprintf(&b, "\n## %s %s: %s\n\n%s\n\n", r.id, r.name, r.verdict(), r.asked)
		if r.skipped != "" {
			fmt.Fprintf(&b, "Needs: %s.\n", d.recorder.text(cmp.Or(strings.Join(r.lacking, ", "), r.skipped)))
			continue
		}
		fmt.Fprintf(&b, "- expected: %s\n- answered: %s\n", r.expected, r.got)
		if local, ok := reference[r.id]; ok {
			fmt.Fprintf(&b, "- local stack: %s\n", local)
		}
		for _, difference := range r.differences {
			fmt.Fprintf(&b, "- DIFFERENT %s\n", difference)
		}
		fmt.Fprintf(&b, "- took %s\n", r.took.Round(time.Millisecond))
		d.section(&b, "", r.id)
	}
	d.section(&b, "After", "after")
	fmt.Fprintf(&b, "\n# Answers\n\nThe part to paste.\n\n%s", d.table(reference))
	return b.String()
}

// section writes the exchanges of a question.
func (d report) section(b *strings.Builder, title, question string) {
	exchanges := d.recorder.of(question)
	if title != "" {
		fmt.Fprintf(b, "\n## %s\n", title)
	}
	for _, x := range exchanges {
		fmt.Fprintf(b, "\n```http\n%s```\n", strings.ReplaceAll(x.String(), "```", "'''"))
	}
}

// table returns only the answers, as Markdown.
func (d report) table(reference map[string]answer) string {
	var b strings.Builder
	b.WriteString("| id | asked | expected | answered | local stack | |\n|---|---|---|---|---|---|\n")
	row := func(cells ...string) {
		for i, cell := range cells {
			cells[i] = strings.NewReplacer("|", `\|`, "\n", " ", "<", `\<`).Replace(d.recorder.text(cell))
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	for _, r := range d.results {
		row(r.id, r.asked, r.expected.String(), r.got.String(), reference[r.id].String(), r.verdict())
	}
	for i, hand := range byHand {
		row(fmt.Sprintf("H%d", i+1), hand.asked, "", "", "", "by hand: "+hand.how)
	}
	for _, r := range d.results {
		for _, difference := range r.differences {
			fmt.Fprintf(&b, "\n- %s %s differs in %s\n", r.id, r.name, d.recorder.text(difference))
		}
	}
	if d.left != nil {
		fmt.Fprintf(&b, "\n- LEFT: %s\n", d.recorder.text(d.left.Error()))
	}
	return b.String()
}

// skips returns the table of skipped questions, and how to meet each of their needs.
func (d report) skips() string {
	var b strings.Builder
	needs := map[string]bool{}
	for _, r := range d.results {
		if r.skipped == "" {
			continue
		}
		fmt.Fprintf(&b, "SKIPPED %-4s %-36s needs: %s\n", r.id, r.name, cmp.Or(strings.Join(r.lacking, ", "), r.skipped))
		for _, need := range r.lacking {
			needs[need] = true
		}
	}
	for _, need := range slices.Sorted(maps.Keys(needs)) {
		fmt.Fprintf(&b, "\n%s:\n  %s\n", need, strings.ReplaceAll(d.lacks[need], "; ", "\n  "))
	}
	return b.String()
}
