package libsql

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/zen-auth/zen/core/provider"
)

// Address returns the HTTP address of a database URL: libsql:// means https, plain
// http is for loopback addresses alone. What else a URL can hold is refused: other
// clients of libSQL take a token there.
func Address(target string) (*url.URL, error) {
	u, err := url.Parse(target)
	target = provider.ShownURL(target)
	if err != nil || u.Host == "" {
		return nil, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("database URL %q is not of the form libsql://HOST", target),
			Hint:    "turso db show NAME --url prints it",
		}
	}
	switch {
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, misfit("database URL %q has a user, a query or a fragment, too", "never put a secret into the URL: the session has the token", target)
	case u.Scheme == "libsql", u.Scheme == "turso": // what newer tools of Turso call the same
		u.Scheme = "https"
	case u.Scheme == "http" && !provider.IsLoopback(u.Hostname()):
		return nil, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("database URL %q would send the token unencrypted", target),
			Hint:    "use libsql:// or https://; http:// is for 127.0.0.1, [::1], localhost and what ends in .localhost",
		}
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("database URL %q has the scheme %q", target, u.Scheme),
			Hint:    "use libsql:// or https://",
		}
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

// IsLocal reports whether target is file:PATH or :memory:, and not the URL of a database
// at a server.
func IsLocal(target string) bool {
	return target == ":memory:" || strings.HasPrefix(target, "file:")
}

// LocalPath returns the file that file:PATH names, or :memory:. The forms are SQLite's
// without its parameters (https://sqlite.org/uri.html): file:app.db, file:/var/lib/app.db
// and file:///var/lib/app.db, in which %20 is a blank.
func LocalPath(target string) (string, error) {
	if target == ":memory:" || target == "file::memory:" {
		return ":memory:", nil
	}
	path, ok := strings.CutPrefix(target, "file:")
	if rest, found := strings.CutPrefix(path, "//"); found {
		path, ok = rest, ok && strings.HasPrefix(rest, "/")
	}
	path, err := url.PathUnescape(path)
	switch {
	case err != nil:
		return "", misfit("database file %q has a %% that no two hexadecimal digits follow", "write it as %25", provider.ShownURL(target))
	case !ok || path == "":
		return "", misfit("database %q is not of the form file:PATH", "for example file:app.db or file:/var/lib/app.db", provider.ShownURL(target))
	case strings.ContainsAny(target, "?#") || strings.ContainsRune(path, 0):
		return "", misfit("database file %q has parameters or a NUL byte in its name", "options are given beside the path", provider.ShownURL(target))
	}
	return path, nil
}
