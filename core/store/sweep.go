package store

import (
	"os"
	"path/filepath"
	"strings"
)

// sweep removes what killed processes left of unfinished writes of the profile, which
// may be credentials. The lock is held: nobody is writing now.
func (s *Store) sweep(profile string) {
	path := s.Path(profile)
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return // the write will say what is wrong
	}
	for _, entry := range entries {
		for _, written := range []string{path, s.metaPath(profile)} {
			// Another profile's begin so, too, and go on otherwise: p.json1.json.
			random, ok := strings.CutPrefix(entry.Name(), "."+filepath.Base(written))
			if ok && strings.Trim(random, "0123456789") == "" {
				_ = os.Remove(filepath.Join(filepath.Dir(path), entry.Name()))
			}
		}
	}
}
