package store

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/zen-auth/zen/internal/private"
)

// removeAside removes the files of the profile that were set aside: what can't be read
// may be a credential all the same.
func (s *Store) removeAside(profile string) {
	path := s.Path(profile)
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return // the removal will say what is wrong
	}
	for _, entry := range entries {
		// Another profile may be named so, too: its file ends in .json.
		when, ok := strings.CutPrefix(entry.Name(), filepath.Base(path)+asideMark)
		if ok && strings.Trim(when, "0123456789TZ-") == "" {
			_ = os.Remove(filepath.Join(filepath.Dir(path), entry.Name()))
		}
	}
}

// sweep removes what killed processes left of unfinished writes of the profile, which
// may be credentials. The lock is held: no process is writing now.
func (s *Store) sweep(profile string) {
	private.Sweep(s.Path(profile))
	private.Sweep(s.metaPath(profile))
}
