package provider

import "strings"

// ShownURL returns the part of a URL, or of a text that should be one, that may be in an
// error: no user, password, query or fragment, which may be secret.
func ShownURL(url string) string {
	url, _, _ = strings.Cut(url, "?")
	url, _, _ = strings.Cut(url, "#")
	if scheme, rest, ok := strings.Cut(url, "//"); ok {
		url = scheme + "//" + rest[strings.LastIndexByte(rest, '@')+1:]
	}
	return url
}
