package store

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/breaker"
)

// Meta describes a profile without a secret, and without asking the
// keyring for one. It rests in a file of its own beside the credentials.
type Meta struct {
	Profile string `json:"profile"`
	// Storage says how the credentials are stored; "" if nothing is stored.
	Storage Storage `json:"storage"`
	// Reason says why they are in a plain file although none was asked for.
	Reason string `json:"reason,omitempty"`
	// Provider is the provider that the last login chose.
	Provider string                   `json:"provider,omitempty"`
	Accounts map[string]AccountMeta   `json:"accounts,omitempty"`
	Tokens   map[string]TokenMeta     `json:"tokens,omitempty"`
	Breakers map[string]breaker.State `json:"detours,omitempty"`
	// Doubt says why the credentials may be newer than all that: a process ended
	// between two writes. The next write puts it right. It is nil otherwise.
	Doubt error `json:"-"`
}

// AccountMeta describes one provider's sign-in.
type AccountMeta struct {
	// Account and Detail are of the credential, Subject of the identity's claims.
	Account      string                 `json:"account,omitempty"`
	Detail       string                 `json:"detail,omitempty"`
	Subject      string                 `json:"subject,omitempty"`
	Organization *provider.Organization `json:"organization,omitempty"`
	Issued       time.Time              `json:"issued,omitzero"`
	Expires      time.Time              `json:"expires,omitzero"`
	SignedIn     time.Time              `json:"signed_in,omitzero"`
	Refreshed    time.Time              `json:"refreshed,omitzero"`
	EnvNames     []string               `json:"env_names,omitempty"`
}

// TokenMeta describes a cached token.
type TokenMeta struct {
	Issued  time.Time `json:"issued,omitzero"`
	Expires time.Time `json:"expires,omitzero"`
	// Verification says how the token was verified before it was stored, KeyID the key
	// that did, and Verified when. Without Verification, its issuer publishes no keys.
	Verification *provider.Verification `json:"verification,omitempty"`
	KeyID        string                 `json:"key_id,omitempty"`
	Verified     time.Time              `json:"verified,omitzero"`
}

// metaFile is the form on disk.
type metaFile struct {
	SchemaVersion int `json:"schema_version"`
	Meta
	// Credentials is the SHA-256 of the credentials file that this is about.
	Credentials string `json:"credentials_sha256"`
}

const metaVersion = 1

func (s *Store) metaPath(profile string) string {
	return strings.TrimSuffix(s.Path(profile), ".json") + ".meta"
}

// Meta returns what is known of a profile. It doesn't open the keyring. Of a profile
// that nothing is stored of, Storage is "".
func (s *Store) Meta(profile string) (Meta, error) {
	m, _, err := s.MetaAndRecord(profile)
	return m, err
}

// MetaAndRecord is Meta with the record that it is about, where no keyring is needed to
// read that; of a sealed one the record is that of Meta.Record. The file is read once.
func (s *Store) MetaAndRecord(profile string) (Meta, Record, error) {
	if err := checkName(profile); err != nil {
		return Meta{}, Record{}, err
	}
	if s.memory != nil {
		r := s.memory.load(profile)
		return describe(profile, Plan{storage: StorageNone}, r, Meta{}, time.Time{}), r, nil
	}
	c, err := s.read(profile)
	if errors.Is(err, fs.ErrNotExist) {
		return Meta{Profile: profile}, emptyRecord(), nil
	}
	if err != nil {
		return Meta{}, Record{}, err
	}
	if c.storage() == StorageFile {
		// It is all there to read: no doubt.
		m, r := s.oldMeta(profile), c.record()
		return describe(profile, Plan{storage: StorageFile, reason: m.Reason}, r, m, time.Time{}), r, nil
	}
	m := s.sealedMeta(profile, c)
	return m, m.Record(), nil
}

// sealedMeta returns the description that was written beside a sealed file.
func (s *Store) sealedMeta(profile string, c contents) Meta {
	m, err := s.readMeta(profile)
	m.Profile, m.Storage = profile, StorageKeyring
	switch {
	case errors.Is(err, fs.ErrNotExist):
		m.Doubt = errors.New("nothing was written down about the sealed file")
	case err != nil:
		m.Doubt = err
	case m.Credentials != checksum(c.data):
		m.Doubt = errors.New("the sealed file is another one than was written down")
	}
	return m.Meta
}

// oldMeta returns the former description, as far as it can be read.
func (s *Store) oldMeta(profile string) Meta {
	m, _ := s.readMeta(profile)
	return m.Meta
}

func (s *Store) readMeta(profile string) (metaFile, error) {
	data, err := s.readPrivate(s.metaPath(profile))
	if err != nil {
		return metaFile{}, err
	}
	var m metaFile
	if json.Unmarshal(data, &m) != nil || m.SchemaVersion != metaVersion || m.Profile != profile {
		return metaFile{}, errors.New("what was written down about the sealed file can't be read")
	}
	return m, nil
}

func (s *Store) writeMeta(m Meta, credentials string) error {
	data, err := json.Marshal(metaFile{metaVersion, m, credentials})
	if err != nil {
		return err
	}
	return writePrivate(s.metaPath(m.Profile), data)
}

// describe returns the metadata of a record that rests as planned. Sessions verify a
// token before they keep it, so a token that old doesn't know was verified now.
func describe(profile string, p Plan, r Record, old Meta, now time.Time) Meta {
	m := Meta{
		Profile: profile, Storage: p.storage, Reason: p.reason, Provider: r.Provider,
		Accounts: make(map[string]AccountMeta, len(r.Accounts)),
		Tokens:   make(map[string]TokenMeta, len(r.Tokens)),
		Breakers: maps.Clone(r.Breakers),
	}
	for name, a := range r.Accounts {
		m.Accounts[name] = AccountMeta{
			Account: a.Credential.Subject, Detail: a.Credential.Detail, Subject: a.Claims.Subject, Organization: a.Claims.Organization,
			Issued: a.Credential.Issued, Expires: a.Credential.Expires,
			SignedIn: a.SignedIn, Refreshed: a.Refreshed, EnvNames: a.EnvNames,
		}
	}
	for key, t := range r.Tokens {
		meta := TokenMeta{Issued: t.Issued, Expires: t.Expires, Verification: t.Verification}
		if t.Verification != nil {
			meta.KeyID, meta.Verified = keyID(t.Value), now.UTC().Truncate(time.Second)
			if known := old.Tokens[key]; known.KeyID == meta.KeyID && known.Issued.Equal(t.Issued) && known.Expires.Equal(t.Expires) {
				meta.Verified = known.Verified
			}
		}
		m.Tokens[key] = meta
	}
	return m
}

// keyID returns the kid in the header of a JWT, or "".
func keyID(token provider.Secret) string {
	head, _, _ := strings.Cut(token.Reveal(), ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	var header struct {
		KeyID string `json:"kid"`
	}
	if err != nil || json.Unmarshal(text, &header) != nil {
		return ""
	}
	return header.KeyID
}

// Record returns the record without its secrets: enough to ask who is signed in.
func (m Meta) Record() Record {
	r := emptyRecord()
	r.Provider, r.Breakers = m.Provider, maps.Clone(m.Breakers)
	for name, a := range m.Accounts {
		r.Accounts[name] = Account{
			Credential: provider.Credential{Subject: a.Account, Detail: a.Detail, Issued: a.Issued, Expires: a.Expires},
			Claims:     provider.Claims{Subject: a.Subject, Organization: a.Organization},
			SignedIn:   a.SignedIn, Refreshed: a.Refreshed, EnvNames: slices.Clone(a.EnvNames),
		}
	}
	return r
}
