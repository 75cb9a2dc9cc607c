package store

import (
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// Detour is that another provider makes the tokens for a while, because those of
// the profile's own one don't reach the database. It is kept so that each process
// need not find that out for itself.
type Detour struct {
	// Via is the provider that makes them.
	Via string `json:"via"`
	// Unavailable is that the own provider could make none; otherwise the database
	// refused those that it made.
	Unavailable bool `json:"unavailable,omitempty"`
	// Since is when it began, and Probe when the own provider is to be tried again,
	// after Failures that were in vain.
	Since    time.Time `json:"since"`
	Probe    time.Time `json:"probe"`
	Failures int       `json:"failures,omitempty"`
	// Access and Permissions are what the own provider's last token allowed: no
	// other one may allow more.
	Access      provider.Access       `json:"access"`
	Permissions []provider.Permission `json:"permissions,omitempty"`
	// EnvNames are Via's, as in Account.
	EnvNames []string `json:"env_names,omitempty"`
}
