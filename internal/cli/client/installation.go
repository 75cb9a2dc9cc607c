package client

import (
	"path/filepath"

	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/host/pin"
	"github.com/zen-auth/zen/internal/replace"
)

// RecordInstallation writes down where this zen is, so that programs find the providers
// beside it. That it can't be written ends no command: it is noted.
func RecordInstallation(e *app.Env) {
	if err := recordInstallation(e); err != nil {
		e.Notify(err.Error() + ": programs that embed zen look for providers in the provider directory alone")
	}
}

func recordInstallation(e *app.Env) error {
	cfg, err := config.Load(e.Config)
	if err != nil {
		return err
	}
	self, err := replace.Self()
	if err != nil {
		return err
	}
	return pin.RecordInstallation(cfg.Paths.StateDir, filepath.Dir(self))
}
