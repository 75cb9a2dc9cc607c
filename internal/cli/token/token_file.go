package token

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/zen-auth/zen/internal/private"
)

// isTokenFile reports whether a file is empty or holds a JWT alone, as one that was
// killed leaves it.
func isTokenFile(path string) bool {
	const most = 64 << 10
	f, err := private.Open(path, private.Rule{Root: true, Shared: true})
	if err != nil {
		return false
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most))
	text := strings.TrimSuffix(string(data), "\n")
	return err == nil && len(data) < most &&
		(text == "" || strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") == 2 && !strings.ContainsAny(text, " \t\r\n"))
}

// writeTokenFile makes a file of mode 0600 and has it take the place of path.
func writeTokenFile(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".zen-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
