// Package audit keeps a record of what was done with credentials: sign-ins,
// renewals, fallbacks, refused tokens, revocations. It is a file of JSON lines that
// its owner alone can read.
//
// No event has a field that could hold a secret. A log that can't be written
// stops nothing: the failure is reported once, and later events are discarded.
package audit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/text"
)

// Kind says what happened.
type Kind string

// The kinds of events.
const (
	// SignIn: a person or a machine signed in. SignOut: a credential was removed from this machine.
	// Revoke: its issuer was asked to end it.
	SignIn  Kind = "sign-in"
	SignOut Kind = "sign-out"
	Revoke  Kind = "revoke"
	// Refresh: a provider was asked for a token.
	Refresh Kind = "refresh"
	// Refused: a database refused a token.
	Refused Kind = "refused"
	// Fallback: another provider issues the tokens from now on. Return: the profile's own
	// provider does again.
	Fallback Kind = "fallback"
	Return   Kind = "return"
	// What was done in an organization: a person was invited, an invitation was ended, a
	// member was removed, a member has another role. OrganizationUse: another organization
	// is the active one of a sign-in.
	Invite           Kind = "invite"
	RevokeInvitation Kind = "revoke-invitation"
	RemoveMember     Kind = "remove-member"
	ChangeRole       Kind = "change-role"
	OrganizationUse  Kind = "organization-use"
)

// Event is one line of the log.
type Event struct {
	// Time and PID are filled in by Write.
	Time time.Time `json:"time"`
	PID  int       `json:"pid"`

	Kind    Kind   `json:"event"`
	Profile string `json:"profile"`
	// Provider signed in; TokenProvider issues the tokens, where that is another.
	Provider      string `json:"provider,omitempty"`
	TokenProvider string `json:"token_provider,omitempty"`
	// Subject names the credential's owner, Database the host of the database.
	Subject  string `json:"subject,omitempty"`
	Database string `json:"database,omitempty"`
	// Organization is the organization of a change, Member the person changed, and Role the
	// one that they were given.
	Organization string `json:"organization,omitempty"`
	Member       string `json:"member,omitempty"`
	Role         string `json:"role,omitempty"`
	// Outcome is "ok", or the class of the failure in the words of the contract.
	Outcome string `json:"outcome"`
	// TokenExpires is the end of the token that was made or refused.
	TokenExpires time.Time `json:"token_expires,omitzero"`
}

// Outcome returns the class of err for Event.Outcome. Texts of errors come from
// elsewhere and stay out of the log.
func Outcome(err error) string {
	switch kind := provider.Kind(err); {
	case err == nil:
		return "ok"
	case kind == nil:
		return "failed"
	default:
		return kind.Error()
	}
}

// The log is rotated at maxSize; kept files remain beside the current one.
const (
	maxSize = 1 << 20
	kept    = 3
)

// maxText bounds a field, so that a line is written at once.
const maxText = 256

// Log appends events to a file. Any number of processes may write to the same one.
// It is safe for concurrent use; a nil Log discards.
type Log struct {
	path string
	warn func(error)
	now  func() time.Time
	told sync.Once
}

// New returns the log at path, which is made when the first event is written. warn
// is called, once, with the reason why an event could not be written; if nil, it is
// discarded.
func New(path string, warn func(error)) *Log {
	return &Log{path: path, warn: warn, now: time.Now}
}

// Write appends an event. It doesn't fail: see New.
func (l *Log) Write(e Event) {
	if l == nil {
		return
	}
	if err := l.write(e); err != nil && l.warn != nil {
		l.told.Do(func() { l.warn(fmt.Errorf("write audit log %s: %w", l.path, err)) })
	}
}

func (l *Log) write(e Event) error {
	e.Time, e.PID = l.now().UTC(), os.Getpid()
	e.TokenExpires = e.TokenExpires.UTC()
	for _, field := range []*string{&e.Profile, &e.Provider, &e.TokenProvider, &e.Subject, &e.Database, &e.Organization, &e.Member, &e.Role} {
		*field = text.Cut(*field, maxText)
	}
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	f, err := l.open(int64(len(line)))
	if err != nil {
		return err
	}
	// One write at the end of the file: POSIX keeps those of several processes apart.
	_, err = f.Write(line)
	return cmp.Or(err, f.Close())
}

// open returns the file, after a rotation where the line would make it too large.
func (l *Log) open(more int64) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return nil, err
	}
	f, err := openPrivate(l.path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if info.Size()+more <= maxSize {
		return f, nil
	}
	f.Close()
	if err := l.rotate(more); err != nil {
		return nil, err
	}
	return openPrivate(l.path)
}
