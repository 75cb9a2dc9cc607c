package config

import (
	"fmt"
	"path/filepath"

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

// CacheDir returns the directory for what can be fetched again, inside of StateDir.
func (p Paths) CacheDir() string { return filepath.Join(p.StateDir, "cache") }

// paths finds the places. Without a home directory ("") it is enough to say where credentials
// rest: the other places are there, too.
func (e environment) paths(home, file, workDir string) (p Paths, named bool, err error) {
	usual := basesOf(home)
	if p.StateDir, err = e.dir("ZEN_STATE_DIR", "XDG_STATE_HOME", usual.state, "zen"); err != nil {
		return Paths{}, false, err
	}
	if p.StateDir == "" {
		why := "HOME is not set"
		if relative, ok := e.lookup("HOME"); ok {
			why = fmt.Sprintf("HOME is %.80q, which is not an absolute path", relative)
		}
		return Paths{}, false, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: "it is not known where credentials rest: " + why + ", and this account has no home directory",
			Hint:    "set HOME or ZEN_STATE_DIR to an absolute path",
		}
	}
	if p.ProviderDir, err = e.dir("ZEN_PROVIDER_DIR", "XDG_DATA_HOME", usual.data, "zen", "providers"); err != nil {
		return Paths{}, false, err
	}
	if p.ProviderDir == "" {
		p.ProviderDir = filepath.Join(p.StateDir, "providers")
	}
	p.ConfigFile, named = file, file != ""
	if !named {
		p.ConfigFile, named = e.lookup("ZEN_CONFIG")
	}
	switch {
	case !named:
		dir := e.base("XDG_CONFIG_HOME", usual.config, "zen")
		if dir == "" {
			dir = p.StateDir
		}
		p.ConfigFile = filepath.Join(dir, "config.toml")
	case !filepath.IsAbs(p.ConfigFile):
		p.ConfigFile = filepath.Join(workDir, p.ConfigFile)
	}
	return p, named, nil
}

// bases are the directories of the XDG base directory specification, or what takes
// their place on other systems; "" if there is no home directory.
type bases struct{ config, state, data string }

// base returns a place below an XDG variable or, where that isn't set, below the usual
// directory; "" means none. The specification says to ignore a relative path in such a
// variable.
func (e environment) base(variable, usual string, elem ...string) string {
	if dir, ok := e.lookup(variable); ok && filepath.IsAbs(dir) {
		usual = dir
	}
	if usual == "" {
		return ""
	}
	return filepath.Join(append([]string{usual}, elem...)...)
}

// dir returns the place that a variable names, or base. It refuses a relative path: what is
// run, or trusted, must not depend on the working directory.
func (e environment) dir(variable, xdg, usual string, elem ...string) (string, error) {
	dir, ok := e.lookup(variable)
	if !ok {
		return e.base(xdg, usual, elem...), nil
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
