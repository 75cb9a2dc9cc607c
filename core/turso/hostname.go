package turso

import (
	"net/url"
	"strings"
)

// Serves reports whether a database's URL is the one that the hostname of a [Database]
// makes: the same host, port and path, without regard to case and the port of https.
func Serves(hostname, databaseURL string) bool {
	u, err := url.Parse(databaseURL)
	return err == nil && u.Host != "" && hostname != "" && NormalHostname(u.Host+u.EscapedPath()) == NormalHostname(hostname)
}

// NormalHostname makes the host of a target and that of a Database comparable:
// host[:port][/path].
func NormalHostname(hostname string) string {
	host, path, _ := strings.Cut(strings.TrimRight(hostname, "/"), "/")
	host = strings.TrimSuffix(strings.ToLower(host), ":443")
	if path == "" {
		return host
	}
	return host + "/" + path
}
