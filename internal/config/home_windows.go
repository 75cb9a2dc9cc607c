package config

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// home returns the user's profile directory.
func (e environment) home() string {
	if home, ok := e.lookup("USERPROFILE"); ok && filepath.IsAbs(home) {
		return filepath.Clean(home)
	}
	home, err := windows.KnownFolderPath(windows.FOLDERID_Profile, 0)
	if err != nil {
		return ""
	}
	return home
}

func basesOf(home string) bases {
	local, err := windows.KnownFolderPath(windows.FOLDERID_LocalAppData, 0)
	if err != nil {
		if home == "" {
			return bases{}
		}
		local = filepath.Join(home, "AppData", "Local")
	}
	return bases{local, local, local}
}
