package config

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/zen-auth/zen/core/provider"
)

const databaseHint = "for example libsql://app-acme.turso.io; turso db show NAME --url prints it"

func databaseError(message, hint string) error {
	return &provider.Error{Kind: provider.ErrConfig, Message: "database URL " + message, Hint: hint}
}

// ParseDatabase checks the URL of a database and returns it in its normal form:
// scheme and host in lower case, without a default port and without trailing
// slashes (with one, go-libsql asks for //info, which servers redirect or refuse).
// libsql:// and https:// are accepted, http:// on loopback alone.
//
// Errors are provider.ErrConfig with a hint. They don't repeat the input: people
// paste URLs with tokens in them.
func ParseDatabase(s string) (string, error) {
	if s == "" {
		return "", databaseError("is empty", databaseHint)
	}
	if len(s) > 2048 {
		return "", databaseError("is longer than 2048 bytes", databaseHint)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return "", databaseError("has a space, a control character or a letter outside ASCII", databaseHint)
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return "", noSchemeError(s)
	}
	if (scheme == "libsql" || scheme == "https") && isHostname(rest) {
		return s, nil // as nearly all are written: it is what is below, and takes a tenth
	}
	scheme = strings.ToLower(scheme)
	switch scheme {
	case "turso": // what newer tools of Turso call the same
		scheme = "libsql"
	case "libsql", "https", "http":
	case "ws", "wss":
		return "", databaseError("has the scheme "+scheme+", which zen does not speak", "write libsql:// instead")
	case "file":
		return "", localFileError()
	default:
		return "", databaseError("has an unknown scheme", databaseHint)
	}
	if strings.Contains(rest, "?") || strings.Contains(rest, "#") {
		if strings.Contains(strings.ToLower(rest), "authtoken") {
			return "", databaseError("carries a token", "never put a token into the URL: zen login gets one")
		}
		return "", databaseError("has a query or a fragment", databaseHint)
	}
	u, err := url.Parse(scheme + "://" + rest)
	if err != nil { // the text of err has the input in it
		return "", databaseError("is malformed", databaseHint)
	}
	if u.User != nil {
		return "", databaseError("has a user name or a password", "never put a secret into the URL: zen login gets a token")
	}
	host, err := normalHost(u, scheme)
	if err != nil {
		return "", err
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	if !plainPath(path) {
		return "", databaseError("has a path with an empty or dotted segment, or a character to be escaped", databaseHint)
	}
	return scheme + "://" + host + path, nil
}

func noSchemeError(s string) error {
	lower := strings.ToLower(s)
	switch {
	case strings.HasPrefix(lower, "file:") || strings.ContainsAny(s, `/\`) || s == ":memory:" ||
		strings.HasSuffix(lower, ".db") || strings.HasSuffix(lower, ".sqlite"):
		return localFileError()
	case strings.HasPrefix(s, "eyJ"):
		return databaseError("is a token", "never put a token there: write the URL of the database")
	}
	return databaseError("has no scheme", databaseHint)
}

func localFileError() error {
	return databaseError("names a local file", "write file:PATH, as in zen db query --database file:app.db; a profile names a database at a server")
}

// normalHost returns host[:port] in lower case, without the scheme's own port.
func normalHost(u *url.URL, scheme string) (string, error) {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	ip, err := netip.ParseAddr(host)
	if isIP := err == nil && ip.Zone() == ""; !isIP && !isHostname(host) {
		return "", databaseError("has no valid host", databaseHint)
	}
	if strings.HasSuffix(u.Host, ":") {
		return "", databaseError("has a colon without a port", databaseHint)
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return "", databaseError("has a port outside 1 to 65535", databaseHint)
		}
		port = strconv.FormatUint(n, 10)
	}
	if scheme == "http" && !provider.IsLoopback(host) {
		return "", databaseError("is http:// on a host that is not this machine", "write libsql:// or https://: a token must not travel in clear")
	}
	if port == "443" && scheme != "http" || port == "80" && scheme == "http" {
		port = ""
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" {
		host += ":" + port
	}
	return host, nil
}

func isHostname(host string) bool {
	if len(host) > 253 {
		return false
	}
	label := 0 // its length so far
	for i := range len(host) {
		c := host[i]
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '_':
			label++
		case c == '-' && label > 0 && i+1 < len(host) && host[i+1] != '.':
			label++
		case c == '.' && label > 0:
			label = 0
		default:
			return false
		}
		if label > 63 {
			return false
		}
	}
	return label > 0
}

func plainPath(path string) bool {
	if path == "" {
		return true
	}
	for segment := range strings.SplitSeq(path[1:], "/") {
		if segment == "" || segment == "." || segment == ".." || strings.Trim(segment, lower+upper+digit+"-._~") != "" {
			return false
		}
	}
	return true
}
