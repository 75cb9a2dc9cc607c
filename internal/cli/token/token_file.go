package token

import (
	"io"
	"os"
	"strings"

	"github.com/zen-auth/zen/internal/private"
)

// isTokenFile reports whether a file is empty or holds a JWT alone, as one that was
// killed leaves it.
func isTokenFile(path string) bool {
	const most = 64 << 10
	f, err := private.Rule{Root: true}.Open(path, os.O_RDONLY)
	if err != nil {
		return false
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most))
	text := strings.TrimSuffix(string(data), "\n")
	return err == nil && len(data) < most &&
		(text == "" || strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") == 2 && !strings.ContainsAny(text, " \t\r\n"))
}
