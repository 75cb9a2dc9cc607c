package oidc

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/zen-auth/zen/devstack/jose"
)

// stateVersion changes when an older state can't be read any more.
const stateVersion = 1

// state is an issuer between two runs: its key, and who is signed in where. It has no
// unfinished requests.
type state struct {
	Version int
	KeyID   string
	Key     []byte `json:",omitempty"` // PKCS #8; none yet if empty
	Refresh []savedRefresh
}

type savedRefresh struct {
	Token, Client, Subject string
	Scopes                 []string
	AuthTime, ExpireAt     time.Time
}

// Save writes the issuer's state, including its private key, so it must be kept secret.
// Users and clients are left out, because they are options.
func (i *Issuer) Save(w io.Writer) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	out := state{Version: stateVersion, KeyID: i.key.ID}
	if i.key.Private != nil {
		var err error
		if out.Key, err = i.key.Marshal(); err != nil {
			return fmt.Errorf("oidc: save: %w", err)
		}
	}
	for token, r := range i.refresh {
		g := r.grant
		out.Refresh = append(out.Refresh, savedRefresh{token, g.client.ID, g.user.Subject, g.scopes, g.authTime, r.expireAt})
	}
	if err := json.NewEncoder(w).Encode(out); err != nil {
		return fmt.Errorf("oidc: save: %w", err)
	}
	return nil
}

// Restore puts what [Issuer.Save] wrote into the place of the issuer's key and refresh
// tokens. Those of clients or people that no longer exist are dropped. On an error
// nothing changes.
func (i *Issuer) Restore(r io.Reader) error {
	var saved state
	if err := json.NewDecoder(r).Decode(&saved); err != nil {
		return fmt.Errorf("oidc: restore: %w", err)
	}
	if saved.Version != stateVersion {
		return fmt.Errorf("oidc: restore: the state has version %d, want %d", saved.Version, stateVersion)
	}
	key := jose.Key{ID: saved.KeyID}
	if len(saved.Key) > 0 {
		var err error
		if key, err = jose.ParseKey(saved.KeyID, saved.Key); err != nil {
			return fmt.Errorf("oidc: restore: %w", err)
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.key = key
	clear(i.refresh)
	for _, s := range saved.Refresh {
		c := i.client(s.Client)
		for n := range i.users {
			if u := &i.users[n]; c != nil && u.Subject == s.Subject {
				i.refresh[s.Token] = &refreshToken{&grant{client: c, user: u, scopes: s.Scopes, authTime: s.AuthTime}, s.ExpireAt}
			}
		}
	}
	return nil
}
