package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// schemaVersion is the version of the file's form. A file with a higher one was
// written by a newer zen and is left alone.
const schemaVersion = 1

// Record is everything that is stored for one profile. It is one file, so that a
// replaced credential and the token that came with it are written together.
type Record struct {
	// Provider is the provider that the last login chose.
	Provider string
	// Accounts are what is known of each provider's sign-in, by provider.
	Accounts map[string]Account
	// Tokens are the cached tokens, by key.
	Tokens map[string]provider.Token
	// Detours are kept by the key of the token that is not to be had, or refused.
	Detours map[string]Detour
}

// Account is one provider's sign-in.
type Account struct {
	Credential provider.Credential
	// Claims are the verified claims of the identity.
	Claims provider.Claims
	// SignedIn is when Login succeeded, Refreshed when a token was last made.
	SignedIn  time.Time
	Refreshed time.Time
	// EnvNames are the variables, beside ZEN_<PROVIDER>__*, that the provider's
	// settings can come from; kept so that a cached token can be matched with the
	// configuration without starting the provider.
	EnvNames []string
}

// file and its parts are the form on disk, the only place where secrets are
// revealed to an encoder.
type file struct {
	SchemaVersion int                    `json:"schema_version"`
	Provider      string                 `json:"provider,omitempty"`
	Accounts      map[string]fileAccount `json:"accounts,omitempty"`
	Tokens        map[string]fileToken   `json:"tokens,omitempty"`
	Detours       map[string]Detour      `json:"detours,omitempty"`
}

type fileAccount struct {
	Credential string          `json:"credential"`
	Subject    string          `json:"subject,omitempty"`
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

func (r Record) encode() ([]byte, error) {
	f := file{SchemaVersion: schemaVersion, Provider: r.Provider, Detours: r.Detours}
	if len(r.Accounts) > 0 {
		f.Accounts = make(map[string]fileAccount, len(r.Accounts))
	}
	for name, a := range r.Accounts {
		f.Accounts[name] = fileAccount{
			Credential: a.Credential.Data.Reveal(),
			Subject:    a.Credential.Subject,
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

func decode(data []byte) (Record, error) {
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		// The text of a json error quotes what it read: never a secret's business.
		return Record{}, fmt.Errorf("it is damaged (not the JSON that zen writes, %d bytes)", len(data))
	}
	switch {
	case f.SchemaVersion < 1:
		return Record{}, fmt.Errorf("it is damaged (no schema_version)")
	case f.SchemaVersion > schemaVersion:
		return Record{}, fmt.Errorf("it has version %d and this zen knows %d: use a newer zen", f.SchemaVersion, schemaVersion)
	}
	r := Record{
		Provider: f.Provider,
		Detours:  f.Detours,
		Accounts: make(map[string]Account, len(f.Accounts)),
		Tokens:   make(map[string]provider.Token, len(f.Tokens)),
	}
	for name, a := range f.Accounts {
		r.Accounts[name] = Account{
			Credential: provider.Credential{
				Data: provider.NewSecret(a.Credential), Subject: a.Subject, Issued: a.Issued, Expires: a.Expires,
			},
			Claims: a.Claims, SignedIn: a.SignedIn, Refreshed: a.Refreshed, EnvNames: a.EnvNames,
		}
	}
	for key, t := range f.Tokens {
		r.Tokens[key] = provider.Token{
			Value: provider.NewSecret(t.Value), Issued: t.Issued, Expires: t.Expires, Verification: t.Verification,
		}
	}
	return r, nil
}
