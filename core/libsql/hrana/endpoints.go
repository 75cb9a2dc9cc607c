package hrana

import (
	"net/url"
	"strings"
)

// endpoints are the addresses under one base.
type endpoints struct {
	base                         *url.URL
	pipeline2, pipeline3, cursor *url.URL
}

func newEndpoints(base *url.URL) endpoints {
	if base.Path == "" { // JoinPath would make a path without a slash of it
		rooted := *base
		rooted.Path = "/"
		base = &rooted
	}
	return endpoints{
		base:      base,
		pipeline2: base.JoinPath("v2", "pipeline"),
		pipeline3: base.JoinPath("v3", "pipeline"),
		cursor:    base.JoinPath("v3", "cursor"),
	}
}

// follow returns where a stream goes on after the server gave a base_url. Only
// the path may differ: another host would be handed the token.
func (e endpoints) follow(baseURL string) (endpoints, error) {
	if baseURL == "" {
		return e, nil
	}
	u, err := url.Parse(baseURL)
	if err != nil || u.User != nil || u.RawQuery != "" ||
		!strings.EqualFold(u.Scheme, e.base.Scheme) || !strings.EqualFold(u.Host, e.base.Host) {
		return e, protocolError("base_url leads away from %s, and the token must not go there", e.base.Host)
	}
	return newEndpoints(u), nil
}
