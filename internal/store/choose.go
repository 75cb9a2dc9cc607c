package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/names"
	"github.com/zen-auth/zen/internal/private"
)

// Plan says how a login is to be stored, by Choose. The zero Plan leaves it where it rests, or
// decides when it is first written.
type Plan struct {
	storage Storage
	// reason says why it is a plain file although none was asked for.
	reason string
	// asked says that it was: then what rests otherwise moves.
	asked bool
	// aside says whether a file that can't be read may be set aside.
	aside bool
}

// Choose settles before a login how the credentials of the profile will rest: as
// was asked for, else as they do now, else sealed where the keyring answers, else in
// a plain file with a notice. With the plan, a Save moves those that rest otherwise, and sets
// a file aside that can't be read.
//
// What would keep the login from being stored fails here, as far as it can be known,
// before the sign-in begins: a keyring that was asked for and doesn't answer is
// ErrUnavailable, StorageNone is ErrConfig.
func (s *Store) Choose(ctx context.Context, profile string) (Plan, error) {
	if err := checkName(profile); err != nil {
		return Plan{}, err
	}
	if s.memory != nil || s.asked(profile) == StorageNone {
		return Plan{}, errNone()
	}
	// The lock is let go again: a person may take minutes to sign in.
	if err := s.locked(ctx, profile, func() error { return nil }); err != nil {
		return Plan{}, err
	}
	c, err := s.read(profile)
	var was Storage
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	case err == nil:
		was = c.storage()
		_, err = s.open(ctx, profile, c)
	}
	aside := errors.Is(err, errUnusable)
	if err != nil && !aside {
		return Plan{}, err
	}
	if aside && was == "" {
		was = s.oldMeta(profile).Storage // or a damaged byte would cost the seal
	}
	p, err := s.decide(ctx, profile, was, aside)
	if err != nil {
		return Plan{}, err
	}
	p.aside = aside
	return p, nil
}

// decide chooses a storage for a profile that rests in was. With fresh, nothing of
// that can be used, and a key has to be made.
func (s *Store) decide(ctx context.Context, profile string, was Storage, fresh bool) (Plan, error) {
	asked := s.asked(profile)
	p := Plan{storage: asked, asked: asked != ""}
	if asked == "" && was != "" {
		p.storage, p.reason = was, s.oldMeta(profile).Reason
	}
	switch {
	case p.storage == StorageNone:
		return Plan{}, errNone()
	case p.storage == StorageFile, p.storage == StorageKeyring && was == StorageKeyring && !fresh:
		return p, nil
	}
	err := s.probe(ctx)
	switch {
	case err == nil:
		p.storage = StorageKeyring
	case ctx.Err() != nil:
		return Plan{}, err
	case p.storage == StorageKeyring:
		return Plan{}, &provider.Error{
			Kind: provider.ErrUnavailable, Message: err.Error(), Err: err,
			Hint: cmp.Or(provider.Hint(err), "make it answer") + "; or " + names.LoginCommand(profile) + " --storage file keeps the credentials in a plain file",
		}
	default:
		p.storage, p.reason = StorageFile, err.Error()
		s.noticePlain(profile, err)
	}
	return p, nil
}

func (s *Store) noticePlain(profile string, why error) {
	s.notice(fmt.Sprintf("credentials will be kept in a plain file (%s, %s) because %v", s.Path(profile), private.Closed, why))
}

func (s *Store) probe(ctx context.Context) error {
	if s.keyring == nil {
		return errNoKeyring()
	}
	return s.keyring.Probe(ctx)
}

func errNone() error {
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: "with the storage none a sign-in would be forgotten as soon as zen ends",
		Hint:    "sign in with --storage keyring or file; none is for providers that need no sign-in, as platformtoken with TURSO_API_TOKEN set",
	}
}
