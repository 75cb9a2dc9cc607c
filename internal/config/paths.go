package config

import (
	"path/filepath"

	"github.com/adrg/xdg"

	"github.com/zen-auth/zen/core/provider"
)

// Paths are the places that zen uses; all absolute.
type Paths struct {
	// ConfigFile is the user file: --config, ZEN_CONFIG, or config.toml in zen's
	// XDG configuration directory.
	ConfigFile string
	// StateDir holds credentials: ZEN_STATE_DIR or zen in the XDG state home.
	StateDir string
	// ProviderDir holds provider binaries: ZEN_PROVIDER_DIR or zen/providers in the
	// XDG data home.
	ProviderDir string
}

// CacheDir is where what can be fetched again rests, inside of StateDir.
func (p Paths) CacheDir() string { return filepath.Join(p.StateDir, "cache") }

func (e environment) paths(file, workDir string) (p Paths, named bool, err error) {
	p.ConfigFile, named = file, file != ""
	if !named {
		p.ConfigFile, named = e.lookup("ZEN_CONFIG")
	}
	switch {
	case !named:
		p.ConfigFile = filepath.Join(e.base("XDG_CONFIG_HOME", xdg.ConfigHome), "zen", "config.toml")
	case !filepath.IsAbs(p.ConfigFile):
		p.ConfigFile = filepath.Join(workDir, p.ConfigFile)
	}
	if p.StateDir, err = e.dir("ZEN_STATE_DIR", e.base("XDG_STATE_HOME", xdg.StateHome), "zen"); err != nil {
		return Paths{}, false, err
	}
	p.ProviderDir, err = e.dir("ZEN_PROVIDER_DIR", e.base("XDG_DATA_HOME", xdg.DataHome), "zen", "providers")
	return p, named, err
}

// base reads an XDG variable from the environment of LoadOptions, which may be
// another one than package xdg saw at start. The XDG specification says to ignore
// a relative path there.
func (e environment) base(variable, fallback string) string {
	if dir, ok := e.lookup(variable); ok && filepath.IsAbs(dir) {
		return dir
	}
	return fallback
}

// dir refuses a relative path: what is run, or trusted, must not depend on the
// working directory.
func (e environment) dir(variable, base string, elem ...string) (string, error) {
	dir, ok := e.lookup(variable)
	if !ok {
		return filepath.Join(append([]string{base}, elem...)...), nil
	}
	if !filepath.IsAbs(dir) {
		return "", &provider.Error{
			Kind:    provider.ErrConfig,
			Message: variable + " is not an absolute path",
			Hint:    "write the whole path, from the root",
		}
	}
	return filepath.Clean(dir), nil
}
