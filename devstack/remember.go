package devstack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/zen-auth/zen/internal/private"
)

// stateful is a part that can save its state: keys, users, sign-ins.
type stateful interface {
	Save(w io.Writer) error
	Restore(r io.Reader) error
}

// stateFiles returns the parts that are kept in files of the directory; Turso has its own.
func (s *Stack) stateFiles() map[string]stateful {
	files := map[string]stateful{}
	if s.Clerk != nil {
		files["clerk-state.json"] = s.Clerk
	}
	if s.Auth0 != nil {
		files["auth0-state.json"] = s.Auth0
	}
	if s.OIDC != nil {
		files["oidc-state.json"] = s.OIDC
	}
	return files
}

// restore loads the last run's state.
func (s *Stack) restore() error {
	if s.keep.dir == "" {
		return nil
	}
	for name, part := range s.stateFiles() {
		data, err := os.ReadFile(filepath.Join(s.keep.dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = part.Restore(bytes.NewReader(data))
		}
		if err != nil {
			return fmt.Errorf("use %s: %s: %w", s.keep.dir, name, err)
		}
	}
	return nil
}

// remember saves the state of the parts, including private keys.
func (s *Stack) remember() error {
	if s.keep.dir == "" {
		return nil
	}
	for name, part := range s.stateFiles() {
		var state bytes.Buffer
		err := part.Save(&state)
		if err == nil {
			err = private.Replace(filepath.Join(s.keep.dir, name), state.Bytes(), 0o600)
		}
		if err != nil {
			return fmt.Errorf("keep %s: %w", name, err)
		}
	}
	return nil
}
