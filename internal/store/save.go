package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/private"
)

// Save writes the record as it is now: temporary file, fsync, rename. A record that
// was stored otherwise than it shall be moves with that one rename: at no time is it
// in two places, or in none. Save reaches the keyring for a key that is new alone.
func (l *Locked) Save() error {
	l.bound(time.Now())
	if l.store.memory != nil {
		l.store.memory.save(l.profile, l.Record)
		return nil
	}
	p, err := l.resting()
	if err == nil {
		err = l.write(p)
	}
	if err != nil {
		return fmt.Errorf("write credentials of profile %q: %w", l.profile, err)
	}
	return nil
}

// resting says how this write is stored. What is stored somewhere stays there, unless a login
// was asked for another storage.
func (l *Locked) resting() (Plan, error) {
	p := l.plan
	switch {
	case l.storage != "" && !l.aside && !p.asked:
		return Plan{storage: l.storage, reason: l.store.oldMeta(l.profile).Reason}, nil
	case p.storage == "":
		return l.store.decide(l.ctx, l.profile, "", true)
	}
	return p, nil
}

func (l *Locked) write(p Plan) error {
	s := l.store
	data, err := l.encode(l.profile)
	if err != nil {
		return err
	}
	var id string
	var key provider.Secret
	var isNew bool
	if p.storage == StorageKeyring {
		sealed, newID, newKey, fresh, err := l.seal(data)
		switch {
		case errors.Is(err, errNotKept) && !p.asked:
			p.storage, p.reason = StorageFile, err.Error()
			s.noticePlain(l.profile, err)
		case err != nil:
			return err
		default:
			data, id, key, isNew = sealed, newID, newKey, fresh
		}
	}
	if err := l.readBack(data, key); err != nil {
		if isNew {
			s.forgetKey(l.ctx, l.profile, id)
		}
		return err
	}
	if l.aside {
		if err := s.setAside(l.profile); err != nil {
			return err
		}
	}
	s.sweep(l.profile)
	if err := writePrivate(s.Path(l.profile), data); err != nil {
		if isNew {
			s.forgetKey(l.ctx, l.profile, id)
		}
		return err
	}
	// The metadata can be made again from the record: if it can't be written, the
	// checksum in the old one shows it, and the next Save tries again.
	_ = s.writeMeta(describe(l.profile, p, l.Record, s.oldMeta(l.profile), time.Now()), checksum(data))
	if l.storage == StorageKeyring && p.storage != StorageKeyring && !l.aside {
		s.forgetKey(l.ctx, l.profile, l.key)
	}
	if l.storage != "" && l.storage != p.storage && !l.aside {
		s.notice(fmt.Sprintf("the credentials of profile %q moved from %s to %s", l.profile, l.storage.phrase(), p.storage.phrase()))
	}
	l.storage, l.key, l.aside = p.storage, id, false
	l.plan = Plan{}
	return nil
}

// seal encrypts data with the key of the file, or a new one.
func (l *Locked) seal(data []byte) (sealed []byte, id string, key provider.Secret, isNew bool, err error) {
	s := l.store
	id, isNew = l.key, l.storage != StorageKeyring || l.aside
	if isNew {
		id, key = newKey()
		if err := s.keys.put(l.ctx, s.keyring, keyItem(l.profile, id), key); err != nil {
			return nil, "", provider.Secret{}, false, err
		}
	}
	// It is held since Lock or the line above. An interrupt keeps nothing from being
	// written: the credential may have been replaced at the issuer already.
	key, err = s.keys.get(context.WithoutCancel(l.ctx), s.keyring, keyItem(l.profile, id))
	if err != nil {
		return nil, "", provider.Secret{}, false, err
	}
	sealed, err = seal(l.profile, id, key, data)
	return sealed, id, key, isNew, err
}

// forgetTimeout bounds the wait for a keyring that is to forget a key: no one should
// have to unlock it for that, or sit through its silence once more.
const forgetTimeout = 3 * time.Second

// forgetKey removes a key that opens nothing any more. That it is still there is
// worth a line, and no failure.
func (s *Store) forgetKey(ctx context.Context, profile, id string) {
	if s.keyring == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetTimeout)
	defer cancel()
	err := s.keyring.Delete(ctx, keyItem(profile, id))
	if err != nil && !errors.Is(err, ErrNoItem) {
		s.notice(fmt.Sprintf("a key of profile %q is still in the keyring, and opens nothing any more: %v", profile, err))
	}
}

// asideMark begins what follows the name of a file that was set aside.
const asideMark = ".damaged-"

// setAside keeps a file that can't be read under another name.
func (s *Store) setAside(profile string) error {
	path := s.Path(profile)
	base := path + asideMark + time.Now().UTC().Format("20060102T150405Z")
	aside := base
	for n := 2; ; n++ {
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			break
		}
		aside = fmt.Sprintf("%s-%d", base, n)
	}
	if err := private.Rename(path, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.notice(fmt.Sprintf("the credentials file of profile %q could not be used and is kept as %s", profile, aside))
	return nil
}
