package session

import (
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/keyring"
	"github.com/zen-auth/zen/internal/store"
)

// Credentials is the store of the configuration: its state directory, the storage
// that it asks for, the system's keyring. notice takes what a person should be told
// of that, a line at a time; nil drops it.
func Credentials(cfg *config.Config, o keyring.Options, notice func(line string)) *store.Store {
	if notice == nil {
		notice = func(string) {}
	}
	return store.New(cfg.Paths.StateDir,
		store.WithKeyring(keyring.New(o)),
		store.WithNotice(notice),
		store.WithStorage(func(profile string) store.Storage {
			p, err := cfg.Profile(profile)
			if err != nil {
				return ""
			}
			return store.Storage(p.Storage.Value)
		}))
}

func credentialsOf(p config.Profile, stored *store.Store) *store.Store {
	if store.Storage(p.Storage.Value) == store.StorageNone {
		return store.NewMemory()
	}
	return stored
}
