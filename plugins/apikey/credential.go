package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/provider"
)

// stored is the content of a credential, with the secrets in the clear. A key from the
// environment is not copied into it: the user decides where to keep a secret.
type stored struct {
	Version int `json:"v"`
	// Key is the key that was typed in; "" means that of the environment.
	Key string `json:"key,omitempty"`
	// Hash is compared to see whether the key is still the one of the sign-in.
	Hash string `json:"hash"`
	// ID and Rights are those of the verified key; Rights changes with its scopes and
	// claims. Empty where the key is verified by another provider.
	ID     string `json:"id,omitempty"`
	Rights string `json:"rights,omitempty"`
	// Instance, Session and Client are of the session that issues the tokens, once there is
	// one.
	Instance string `json:"instance,omitempty"`
	Session  string `json:"session,omitempty"`
	Client   string `json:"client,omitempty"`
}

const credentialVersion = 1

func (s stored) encode() provider.Secret {
	s.Version = credentialVersion
	data, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings and a number
	}
	return provider.NewSecret(string(data))
}

func readCredential(c provider.Credential) (s stored, err error) {
	if json.Unmarshal([]byte(c.Data.Reveal()), &s) != nil || s.Version != credentialVersion || s.Hash == "" {
		return stored{}, noCredential("the stored credential is not one of this provider")
	}
	return s, nil
}

// held is a key that can be used, and what is stored of it.
type held struct {
	stored
	key provider.Secret
	// kept is false if nothing is stored, so that nothing may be left behind.
	kept bool
}

// hold reads a credential, or takes the key of the environment if there is none.
func (p *apiKey) hold(c *provider.Credential) (held, error) {
	h := held{key: p.settings.key, kept: c != nil}
	if c != nil {
		var err error
		if h.stored, err = readCredential(*c); err != nil {
			return held{}, err
		}
		if h.key.IsZero() {
			h.key = provider.NewSecret(h.Key)
		}
	}
	switch {
	case h.key.IsZero() && c != nil:
		return held{}, noCredential("the sign-in used the API key in " + keyVariable + ", which is not set now")
	case h.key.IsZero():
		return held{}, noCredential("no API key")
	case c != nil && h.Hash != fingerprint(h.key.Reveal()):
		return held{}, noCredential("the API key in " + keyVariable + " is another one than that of the sign-in")
	}
	return h, nil
}

// session returns the session of the credential, or nil.
func (h held) session(i clerk.Instance) *clerk.Session {
	s := &clerk.Session{ID: h.Session, Client: provider.NewSecret(h.Client)}
	if h.Instance != i.Fingerprint() || !clerk.IsSessionID(s.ID) || (provider.Token{Value: s.Client}).ValidateValue() != nil {
		return nil
	}
	return s
}

// with returns what is to be stored once tokens are made by a session.
func (h held) with(i clerk.Instance, s *clerk.Session) stored {
	next := h.stored
	next.Instance, next.Session, next.Client = i.Fingerprint(), s.ID, s.Client.Reveal()
	return next
}

// fingerprint returns the beginning of a hash, in hexadecimal.
func fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// rightsMark changes whenever what a key says of its rights does.
func rightsMark(k clerk.APIKey) string {
	data, err := json.Marshal([]any{k.Subject, k.Scopes, k.Claims})
	if err != nil {
		panic(err) // what was decoded
	}
	return fingerprint(string(data))
}

func noCredential(message string) error {
	return &provider.Error{Kind: provider.ErrNoCredential, Message: "apikey: " + message, Hint: "set " + keyVariable + ", or run zen login --provider apikey"}
}

// credentialOf returns the credential of a verified key.
func credentialOf(k clerk.APIKey, s stored, now time.Time) provider.Credential {
	return provider.Credential{Data: s.encode(), Subject: k.Label(), Issued: now.UTC(), Expires: k.Expires}
}
