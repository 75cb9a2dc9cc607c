package main

import (
	"encoding/json"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// stored is the content of a credential. A token from the environment or from
// ~/.vault-token is not copied into it: the user decides where to keep it.
type stored struct {
	Method string `json:"method"`
	Token  string `json:"token,omitempty"`
	// Whole is the token's lifetime when it was last issued or renewed.
	Whole     time.Duration `json:"whole,omitempty"`
	Expires   time.Time     `json:"expires,omitzero"`
	Renewable bool          `json:"renewable,omitempty"`
	// Place is the server that issued it: a token is never sent anywhere else. Who is the
	// person named by the provider that signed in.
	Place place  `json:"place"`
	Who   string `json:"who,omitempty"`
}

// place identifies a login at a server.
type place struct {
	Address   string `json:"address"`
	Namespace string `json:"namespace,omitempty"`
	Mount     string `json:"mount,omitempty"`
	Role      string `json:"role,omitempty"`
}

func (p *openbao) place(mount string) place {
	address := p.settings.address.String()
	if p.settings.socket != "" {
		address = "unix://" + p.settings.socket
	}
	return place{address, p.settings.namespace, mount, p.settings.authRole}
}

func (s stored) credential(subject string, issued time.Time) (provider.Credential, error) {
	data, err := json.Marshal(s)
	return provider.Credential{Data: provider.NewSecret(string(data)), Subject: subject, Issued: issued, Expires: s.Expires}, err
}

const loginHint = "zen login --provider openbao, or set BAO_TOKEN"

func readCredential(c provider.Credential) (stored, error) {
	var s stored
	if json.Unmarshal([]byte(c.Data.Reveal()), &s) != nil || s.Method == "" || s.Place.Address == "" {
		// The error is left out, because it may quote the data.
		return stored{}, &provider.Error{
			Kind: provider.ErrNoCredential, Hint: loginHint, Message: "openbao: the stored credential is not one of this provider",
		}
	}
	return s, nil
}

// good reports whether the token is still usable; a renewable one is renewed in its last
// third.
func (s stored) good(now time.Time) (good, renew bool) {
	if s.Token == "" {
		return false, false
	}
	if s.Expires.IsZero() {
		return true, false
	}
	left := s.Expires.Sub(now.Round(0))
	return left > min(10*time.Second, s.Whole/5), s.Renewable && left < s.Whole/3
}
