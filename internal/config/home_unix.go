//go:build unix

package config

import (
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
)

// lookupAccount is another in tests.
var lookupAccount = user.LookupId

// home is HOME or, where that isn't set or is relative, the account's home directory:
// root's programs under systemd have no HOME, and no credentials belong into
// whatever directory it is.
func (e environment) home() string {
	if home, ok := e.lookup("HOME"); ok && filepath.IsAbs(home) {
		return filepath.Clean(home)
	}
	account, err := lookupAccount(strconv.Itoa(os.Geteuid()))
	if err != nil || !filepath.IsAbs(account.HomeDir) {
		return ""
	}
	return filepath.Clean(account.HomeDir)
}

func basesOf(home string) bases {
	switch {
	case home == "":
		return bases{}
	case runtime.GOOS == "darwin":
		support := filepath.Join(home, "Library", "Application Support")
		return bases{support, support, support}
	}
	return bases{
		config: filepath.Join(home, ".config"), state: filepath.Join(home, ".local", "state"), data: filepath.Join(home, ".local", "share"),
	}
}
