package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/private"
)

// SetDefaultProfile writes default_profile into the user file, which is made where
// there is none. Everything else in the file stays as it is, byte for byte: comments
// and order are the user's. The file is replaced as a whole; where it is a symbolic
// link, what it points to is.
func (c *Config) SetDefaultProfile(name string) error {
	path := c.Paths.ConfigFile
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	data, err := readFile(KindUserFile, path)
	mode := fs.FileMode(0o600)
	switch info, statErr := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return writeError(path, err)
		}
	case err != nil:
		return err
	case statErr == nil:
		mode = info.Mode().Perm()
	}
	edited, err := withDefaultProfile(data, name)
	if err != nil {
		return err
	}
	// What comes out has to be what went in but for the one key.
	if d, err := parseDocument(KindUserFile, path, edited); err != nil || d.defaultProfile.Value != name {
		return writeError(path, errors.Join(errors.New("the edited file would not say what it should"), err))
	}
	if err := private.Replace(path, edited, mode); err != nil {
		return writeError(path, err)
	}
	return nil
}

func writeError(path string, err error) error {
	return &provider.Error{
		Kind: provider.ErrConfig, Err: err, Message: fmt.Sprintf("write configuration %s: %v", path, err),
		Hint: "write default_profile into it by hand, above the first table",
	}
}

// withDefaultProfile changes the value of default_profile, or puts the key at the
// top, where no table is open.
func withDefaultProfile(data []byte, name string) ([]byte, error) {
	const byteOrderMark = "\xef\xbb\xbf" // of Windows editors
	data, marked := bytes.CutPrefix(data, []byte(byteOrderMark))
	edited, err := editDefaultProfile(data, []byte(strconv.Quote(name)))
	if err == nil && marked {
		edited = append([]byte(byteOrderMark), edited...)
	}
	return edited, err
}

func editDefaultProfile(data, value []byte) ([]byte, error) {
	var parser unstable.Parser
	parser.Reset(data)
	for parser.NextExpression() {
		e := parser.Expression()
		if e.Kind == unstable.Table || e.Kind == unstable.ArrayTable {
			break
		}
		key := e.Key()
		if e.Kind != unstable.KeyValue || !key.Next() || string(key.Node().Data) != "default_profile" || key.Next() {
			continue
		}
		from := int(e.Value().Raw.Offset)
		to := from + int(e.Value().Raw.Length)
		return bytes.Join([][]byte{data[:from], value, data[to:]}, nil), nil
	}
	if err := parser.Error(); err != nil {
		return nil, fmt.Errorf("write default_profile: %w", err)
	}
	end := []byte("\n")
	if bytes.Contains(data, []byte("\r\n")) {
		end = []byte("\r\n")
	}
	line := append([]byte("default_profile = "), value...)
	line = append(line, end...)
	if len(data) > 0 && !bytes.HasPrefix(data, end) {
		line = append(line, end...)
	}
	return append(line, data...), nil
}
