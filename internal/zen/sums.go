package zen

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/private"
)

// sums is a file with the sums that providers' programs had when they were last looked at, so
// that a program which opens a database need not read the 15 MB of one each time, only to say
// early that it may not run. Nothing runs by it: who starts a program hashes what it starts.
type sums struct {
	path string
	now  func() time.Time
}

// sum is what a program had, as long as its file is what it was.
type sum struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

const (
	maxSums = 64       // programs
	maxFile = 64 << 10 // bytes of the file
)

// settled is how long a file must have been left alone. One that was just written may be
// written again within the same tick of the system's clock, and look like the same.
const settled = 2 * time.Second

// inspect is host.InspectFile, from the file of sums where that has the program.
func (s sums) inspect(name, path string) (host.Binary, error) {
	file, changed := fileState(path)
	if file == "" {
		return host.InspectFile(name, path)
	}
	known := s.load()
	if was, ok := known[path]; ok && was.File == file {
		return host.Binary{Name: name, Path: path, SHA256: was.SHA256, Size: was.Size}, nil
	}
	binary, err := host.InspectFile(name, path)
	if err != nil || s.now().Sub(changed) < settled {
		return binary, err
	}
	if now, _ := fileState(path); now != file {
		return binary, nil
	}
	for old := range known {
		if _, err := os.Lstat(old); errors.Is(err, fs.ErrNotExist) || len(known) >= maxSums {
			delete(known, old)
		}
	}
	known[path] = sum{file, binary.SHA256, binary.Size}
	s.save(known)
	return binary, nil
}

// load returns the sums by the path of the program. What can't be read, or another user could
// have written, has none.
func (s sums) load() map[string]sum {
	known := map[string]sum{}
	f, err := private.Own.Open(s.path, os.O_RDONLY)
	if err != nil {
		return known
	}
	defer f.Close()
	data, err := private.ReadAll(f, maxFile)
	if err != nil || json.Unmarshal(data, &known) != nil || known == nil {
		return map[string]sum{}
	}
	return known
}

// save writes the sums, or leaves it where it can't: they are read anew the next time.
func (s sums) save(known map[string]sum) {
	data, err := json.Marshal(known)
	if err == nil && os.MkdirAll(filepath.Dir(s.path), 0o700) == nil {
		_ = private.Replace(s.path, data, 0o600)
	}
}
