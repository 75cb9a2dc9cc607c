package live

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"github.com/zen-auth/zen/internal/private"
)

// entry is an object in an account that a run was about to create.
type entry struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Account string `json:"account"`
	Gone    bool   `json:"gone,omitempty"`
}

// journal lists the objects that were created and may still exist. An entry is on disk before
// the request that creates the object is sent. It contains no secret, and belongs to one run
// at a time.
type journal struct {
	path    string
	lock    *flock.Flock
	file    *os.File
	entries []entry
}

// openJournal reads the entries of earlier runs.
func openJournal(path string) (*journal, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	j := &journal{path: path, lock: flock.New(path + ".lock")}
	switch locked, err := j.lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("open the journal: %w", err)
	case !locked:
		return nil, fmt.Errorf("%s is in use: another run has not ended", path)
	}
	var err error
	if j.file, err = private.Secret.Open(path, os.O_RDWR|os.O_CREATE|os.O_APPEND); err != nil {
		return nil, errors.Join(fmt.Errorf("open the journal %s: %w", path, err), j.lock.Unlock())
	}
	for lines := bufio.NewScanner(j.file); lines.Scan(); {
		var e entry
		if json.Unmarshal(lines.Bytes(), &e) == nil { // the last line of a killed run may be incomplete
			j.apply(e)
		}
	}
	return j, nil
}

func (j *journal) apply(e entry) {
	same := func(other entry) bool {
		return other.Kind == e.Kind && other.Name == e.Name && other.Account == e.Account
	}
	j.entries = slices.DeleteFunc(j.entries, same)
	if !e.Gone {
		j.entries = append(j.entries, e)
	}
}

// write writes an entry to disk. It starts a new line, in case the previous one is
// incomplete.
func (j *journal) write(e entry) error {
	line, err := json.Marshal(e)
	if err == nil {
		_, err = j.file.Write(append(append([]byte{'\n'}, line...), '\n'))
	}
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	j.apply(e)
	return nil
}

// forget removes the entries of a kind and an account whose names have the prefix, since the
// objects are gone.
func (j *journal) forget(kind, account, beginning string) error {
	for _, e := range slices.Clone(j.entries) {
		if e.Kind != kind || e.Account != account || !strings.HasPrefix(e.Name, beginning) && e.Name != item {
			continue
		}
		e.Gone = true
		if err := j.write(e); err != nil {
			return err
		}
	}
	return nil
}

// close writes the journal without the entries that are gone.
func (j *journal) close() error {
	var text []byte
	for _, e := range j.entries {
		line, err := json.Marshal(e)
		if err != nil {
			return err
		}
		text = append(append(text, line...), '\n')
	}
	err := j.file.Close()
	if len(text) == 0 {
		err = errors.Join(err, os.Remove(j.path))
	} else {
		err = errors.Join(err, private.Replace(j.path, text, 0o600))
	}
	return errors.Join(err, j.lock.Unlock())
}
