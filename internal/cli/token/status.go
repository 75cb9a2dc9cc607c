package token

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/breaker"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/names"
	"github.com/zen-auth/zen/internal/private"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/store"
)

// StatusCommand is zen status.
func StatusCommand() *cli.Command {
	return &cli.Command{
		Name:    "status",
		Aliases: []string{"whoami"},
		Usage:   "show who is signed in, with what, and for how long",
		Description: `Reads only files: no network, no provider, no keyring. The token is shown as valid,
expired, invalid, or unverified with the reason. Valid means verified with the issuer's
keys; a sealed token was verified when it was stored. The next command that needs a
token renews an expired one.`,
		Action: func(c *cli.Context) error {
			e := app.EnvOf(c)
			return e.WithSession(c.Context, func(s *session.Session) error { return PrintStatus(c.Context, e, s) })
		},
	}
}

type statusDocument struct {
	SchemaVersion int         `json:"schema_version"`
	Profile       string      `json:"profile"`
	SignedIn      *bool       `json:"signed_in"` // null where it is not known without the keyring
	Provider      string      `json:"provider,omitempty"`
	TokenProvider string      `json:"token_provider,omitempty"`
	Account       string      `json:"account,omitempty"`
	Detail        string      `json:"detail,omitempty"`
	Subject       string      `json:"subject,omitempty"`
	Organization  string      `json:"organization,omitempty"`
	Role          string      `json:"role,omitempty"`
	SignedInAt    *time.Time  `json:"signed_in_at"`
	Storage       string      `json:"storage"`
	StorageReason string      `json:"storage_reason,omitempty"`
	File          string      `json:"file"`
	Note          string      `json:"note,omitempty"`
	AlsoSignedIn  []string    `json:"also_signed_in"`
	Database      string      `json:"database,omitempty"`
	Access        string      `json:"access"`
	Token         tokenStatus `json:"token"`
	// Fallback is the provider that issues the tokens for the database meanwhile.
	Fallback *fallbackStatus `json:"fallback"`
}

type fallbackStatus struct {
	Provider string `json:"provider"`
	// Because is "refused", where the database refuses the tokens of the profile's own
	// provider, or "unavailable", where that can make none.
	Because string `json:"because"`
	Access  string `json:"access"`
	// NextTry is the time from which the profile's own provider is tried again, by the next use.
	Since   *time.Time `json:"since"`
	NextTry *time.Time `json:"next_try"`
}

type tokenStatus struct {
	State     session.State `json:"state"`
	Reason    string        `json:"reason,omitempty"`
	Issuer    string        `json:"issuer,omitempty"`
	KeyID     string        `json:"key_id,omitempty"`
	IssuedAt  *time.Time    `json:"issued_at"`
	ExpiresAt *time.Time    `json:"expires_at"`
}

// PrintStatus answers zen status. A profile without a sign-in is exit code 3, with the same
// answer on standard output.
func PrintStatus(ctx context.Context, e *app.Env, s *session.Session) error {
	status, err := s.Status(ctx)
	if err != nil {
		return err
	}
	document := newStatusDocument(s, status)
	if e.JSON {
		err = e.PrintJSON(document)
	} else {
		err = writeStatus(e.Out, document)
	}
	switch {
	case err != nil || status.SignedIn:
	case status.Doubt != nil:
		err = &provider.Error{Kind: provider.ErrUnavailable, Message: fmt.Sprintf("can't tell who is signed in to profile %q without the keyring", s.Profile()), Hint: "zen token asks it"}
	default:
		err = &provider.Error{Kind: provider.ErrNoCredential, Message: fmt.Sprintf("not signed in to profile %q", s.Profile()), Hint: names.LoginCommand(s.Profile())}
	}
	return err
}

func newStatusDocument(s *session.Session, status session.Status) statusDocument {
	claims := status.Account.Claims
	d := statusDocument{
		SchemaVersion: app.SchemaVersion,
		Profile:       status.Profile,
		Provider:      status.Provider,
		TokenProvider: status.TokenProvider,
		Account:       status.Account.Credential.Subject,
		Detail:        status.Account.Credential.Detail,
		Subject:       claims.Subject,
		SignedInAt:    app.Instant(status.Account.SignedIn),
		Storage:       string(status.Storage),
		StorageReason: status.StorageReason,
		File:          status.File,
		AlsoSignedIn:  append([]string{}, status.Others...),
		Database:      s.Target().URL,
		Access:        string(s.Access()),
		Token: tokenStatus{
			State:     status.State,
			Issuer:    status.Claims.Issuer,
			KeyID:     status.Claims.KeyID,
			IssuedAt:  app.Instant(status.Token.Issued),
			ExpiresAt: app.Instant(status.Token.Expires),
		},
	}
	if o := claims.Organization; o != nil {
		d.Organization, d.Role = cmp.Or(o.Slug, o.ID), o.Role
	}
	if f := status.Breaker; f.Open() {
		d.Fallback = &fallbackStatus{f.Via, "refused", string(f.Access), app.Instant(f.Since), app.Instant(f.RetryAt)}
		if f.Because == breaker.Unavailable {
			d.Fallback.Because = "unavailable"
		}
	}
	if status.SignedIn || status.Doubt == nil {
		d.SignedIn = &status.SignedIn
	}
	if status.Doubt != nil {
		d.Note = "this may not be the latest: " + app.OneLine(status.Doubt.Error())
	}
	switch {
	case status.State == session.StateInvalid && status.SignedIn && errors.Is(status.Reason, provider.ErrTokenExpired):
		d.Token.State, d.Token.Reason = stateExpired, "the next use renews it"
	case status.Reason != nil:
		d.Token.Reason = app.OneLine(status.Reason.Error())
	}
	return d
}

// writeStatus writes the answer for people.
func writeStatus(w io.Writer, d statusDocument) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value = app.OneLine(value); value != "" {
			fmt.Fprintf(table, "%s\t%s\n", name, value)
		}
	}
	row("profile", d.Profile)
	switch {
	case d.SignedIn == nil:
		row("account", "unknown")
	case *d.SignedIn:
		row("account", d.Account)
		row("sign-in", d.Detail)
		if d.Subject != d.Account {
			row("subject", d.Subject)
		}
		row("organization", d.Organization)
		row("role", d.Role)
		row("provider", d.Provider)
		if d.TokenProvider != d.Provider {
			row("tokens from", d.TokenProvider)
		}
		row("signed in", app.Local(d.SignedInAt))
	default:
		row("account", "not signed in")
	}
	for _, name := range d.AlsoSignedIn {
		row("also signed in", name)
	}
	row("stored in", storedIn(d))
	row("note", d.Note)
	row("database", d.Database)
	row("access", d.Access)
	reason := ""
	if d.Token.Reason != "" {
		reason = ": " + app.OneLine(d.Token.Reason)
	}
	fmt.Fprintf(table, "token\t%s%s\n", app.Paint(w, stateColours[d.Token.State], string(d.Token.State)), reason)
	row("issuer", d.Token.Issuer)
	row("issued", app.Local(d.Token.IssuedAt))
	row("expires", app.UntilText(d.Token.ExpiresAt, time.Now()))
	row("fallback", fallbackText(d))
	return table.Flush()
}

// fallbackText says who issues the tokens meanwhile, and why.
func fallbackText(d statusDocument) string {
	if d.Fallback == nil {
		return ""
	}
	why := "the database refuses the tokens of"
	if d.Fallback.Because == "unavailable" {
		why = "no token can be had from"
	}
	text := fmt.Sprintf("%s (access %s) since %s: %s %s", d.Fallback.Provider, d.Fallback.Access, app.Local(d.Fallback.Since), why, d.TokenProvider)
	if next := d.Fallback.NextTry; next != nil && next.After(time.Now()) {
		text += ", which is tried again from " + app.Local(next)
	}
	return text
}

// storedIn says where the credentials are and how.
func storedIn(d statusDocument) string {
	switch store.Storage(d.Storage) {
	case store.StorageKeyring:
		return d.File + " (sealed; the key is in the keyring)"
	case store.StorageFile:
		if d.StorageReason != "" {
			return fmt.Sprintf("%s (plain file, %s) because %s", d.File, private.Closed, d.StorageReason)
		}
		return d.File + " (plain file, " + private.Closed + ")"
	case store.StorageNone:
		return "nothing (storage none: nothing is kept)"
	}
	return ""
}

// stateExpired is the state of a token that has ended, and whose sign-in hasn't: there
// is nothing wrong with it.
const stateExpired session.State = "expired"

var stateColours = map[session.State]string{
	session.StateValid: app.Green, session.StateInvalid: app.Red, session.StateUnverified: app.Yellow, session.StateNone: app.Yellow, stateExpired: app.Yellow,
}
