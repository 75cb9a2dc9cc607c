package store

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/breaker"
	"github.com/zen-auth/zen/internal/jsonobject"
)

// The versions of the credentials file. One with a higher version was written by a
// newer zen and is left alone.
const (
	plainVersion  = 1
	sealedVersion = 2
)

// Record is everything that is stored for one profile. It is one file, so that a
// replaced credential and the token that came with it are written together.
type Record struct {
	// Provider is the provider that the last login chose.
	Provider string
	// Accounts describe each provider's sign-in, by provider.
	Accounts map[string]Account
	// Tokens are the cached tokens, by key.
	Tokens map[string]provider.Token
	// Breakers are the open ones, by the key of the token of the profile's own
	// provider that is not to be had, or refused.
	Breakers map[string]breaker.State
	// Refusals are the ways to a token whose last new one the database hasn't taken yet,
	// by the key of that token.
	Refusals map[string]breaker.Backoff
}

// Account is one provider's sign-in.
type Account struct {
	Credential provider.Credential
	// Claims are the verified claims of the identity.
	Claims provider.Claims
	// SignedIn is the time of the last successful Login, Refreshed that of the last new token.
	SignedIn  time.Time
	Refreshed time.Time
	// EnvNames are the variables, beside ZEN_<PROVIDER>__*, that the provider's
	// settings can come from; kept so that a cached token can be matched with the
	// configuration without starting the provider.
	EnvNames []string
}

// Subject names the account's owner, by the issuer's name.
func (a Account) Subject() string { return cmp.Or(a.Claims.Subject, a.Credential.Subject) }

// file and its parts are the form on disk, the only place where secrets are
// revealed to an encoder.
type file struct {
	SchemaVersion int `json:"schema_version"`
	// Profile is the profile that it belongs to: a copied file would refresh another's credential.
	Profile string `json:"profile,omitempty"`

	// Of a sealed file.
	Key    string `json:"key,omitempty"`
	Sealed []byte `json:"sealed,omitempty"`

	// Of a plain one.
	Provider string                     `json:"provider,omitempty"`
	Accounts map[string]fileAccount     `json:"accounts,omitempty"`
	Tokens   map[string]fileToken       `json:"tokens,omitempty"`
	Breakers map[string]breaker.State   `json:"detours,omitempty"`
	Refusals map[string]breaker.Backoff `json:"refusals,omitempty"`

	// undecoded are the tokens as they are written, for a reader of tokens.
	undecoded jsonobject.Value
}

type fileAccount struct {
	Credential string          `json:"credential"`
	Subject    string          `json:"subject,omitempty"`
	Detail     string          `json:"detail,omitempty"`
	Issued     time.Time       `json:"issued,omitzero"`
	Expires    time.Time       `json:"expires,omitzero"`
	Claims     provider.Claims `json:"claims"`
	SignedIn   time.Time       `json:"signed_in,omitzero"`
	Refreshed  time.Time       `json:"refreshed,omitzero"`
	EnvNames   []string        `json:"env_names,omitempty"`
}

type fileToken struct {
	Value        string                 `json:"value"`
	Issued       time.Time              `json:"issued,omitzero"`
	Expires      time.Time              `json:"expires,omitzero"`
	Verification *provider.Verification `json:"verification,omitempty"`
}

// encode makes the content of a plain file.
func (r Record) encode(profile string) ([]byte, error) {
	f := file{SchemaVersion: plainVersion, Profile: profile, Provider: r.Provider, Breakers: r.Breakers, Refusals: r.Refusals}
	if len(r.Accounts) > 0 {
		f.Accounts = make(map[string]fileAccount, len(r.Accounts))
	}
	for name, a := range r.Accounts {
		f.Accounts[name] = fileAccount{
			Credential: a.Credential.Data.Reveal(),
			Subject:    a.Credential.Subject,
			Detail:     a.Credential.Detail,
			Issued:     a.Credential.Issued,
			Expires:    a.Credential.Expires,
			Claims:     a.Claims,
			SignedIn:   a.SignedIn,
			Refreshed:  a.Refreshed,
			EnvNames:   a.EnvNames,
		}
	}
	if len(r.Tokens) > 0 {
		f.Tokens = make(map[string]fileToken, len(r.Tokens))
	}
	for key, t := range r.Tokens {
		f.Tokens[key] = fileToken{t.Value.Reveal(), t.Issued, t.Expires, t.Verification}
	}
	return json.Marshal(f)
}

// parse reads a file, sealed or not; for one token, what its reader has no use for is left
// out.
func parse(data []byte, oneToken bool) (f file, err error) {
	if oneToken {
		err = f.decodeTokens(data)
	} else {
		err = json.Unmarshal(data, &f)
	}
	if err != nil {
		return file{}, damaged(data)
	}
	switch {
	case f.SchemaVersion < plainVersion:
		return file{}, errors.New("it is damaged (no schema_version)")
	case f.SchemaVersion > sealedVersion:
		return file{}, fmt.Errorf("it has version %d and this zen knows %d: use a newer zen", f.SchemaVersion, sealedVersion)
	case f.SchemaVersion == plainVersion && (f.Key != "" || len(f.Sealed) > 0):
		return file{}, errors.New("it is damaged (sealed, with the version of a plain file)")
	case f.SchemaVersion == sealedVersion && (!isKeyID(f.Key) || len(f.Sealed) == 0):
		return file{}, errors.New("it is damaged (sealed, without a key's name or a content)")
	}
	return f, nil
}

// damaged doesn't wrap the error of encoding/json: that one's text quotes what it read.
func damaged(data []byte) error {
	return fmt.Errorf("it is damaged (not the JSON that zen writes, %d bytes)", len(data))
}

// storage says how the record is stored in the file.
func (f file) storage() Storage {
	if f.SchemaVersion == sealedVersion {
		return StorageKeyring
	}
	return StorageFile
}

// record returns the content of a plain file.
func (f file) record() Record {
	r := Record{
		Provider: f.Provider,
		Breakers: f.Breakers,
		Refusals: f.Refusals,
		Accounts: make(map[string]Account, len(f.Accounts)),
		Tokens:   make(map[string]provider.Token, len(f.Tokens)),
	}
	for name, a := range f.Accounts {
		r.Accounts[name] = Account{
			Credential: provider.Credential{
				Data: provider.NewSecret(a.Credential), Subject: a.Subject, Detail: a.Detail, Issued: a.Issued, Expires: a.Expires,
			},
			Claims: a.Claims, SignedIn: a.SignedIn, Refreshed: a.Refreshed, EnvNames: a.EnvNames,
		}
	}
	for key, t := range f.Tokens {
		r.Tokens[key] = t.token()
	}
	return r
}

func (t fileToken) token() provider.Token {
	return provider.Token{Value: provider.NewSecret(t.Value), Issued: t.Issued, Expires: t.Expires, Verification: t.Verification}
}
