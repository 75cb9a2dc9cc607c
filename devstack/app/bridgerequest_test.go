package app

import (
	"net/netip"
	"net/url"
	"testing"
)

// FuzzBridgeRequest checks that every accepted address leads to this machine, according
// to the URL parser of http clients, and that the state is returned unchanged.
func FuzzBridgeRequest(f *testing.F) {
	for _, seed := range []string{
		"redirect_uri=http://127.0.0.1:4000/callback&state=0123456789abcdef&code=WXYZ-2345",
		"redirect_uri=http://[::1]:4000/callback&state=0123456789abcdef&code=WXYZ-2345&client=zen&mode=token",
		"redirect_uri=http://127.0.0.1:1@evil.example/callback&state=0123456789abcdef&code=WXYZ-2345",
		"redirect_uri=http%3A%2F%2F127.0.0.1%3A4000%2Fcallback%0a&state=x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		query, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		req, err := parseBridgeRequest(query)
		if err != nil {
			return
		}
		to, err := url.Parse(req.reply(url.Values{"ticket": {"a b&c"}}))
		if err != nil {
			t.Fatal(err)
		}
		host, err := netip.ParseAddrPort(to.Host)
		if err != nil || !host.Addr().IsLoopback() || to.Scheme != "http" || to.User != nil || to.Path != "/callback" || to.Fragment != "" {
			t.Errorf("%q leads to %s", raw, to)
		}
		if got := to.Query(); len(got) != 2 || got.Get("state") != query.Get("state") || got.Get("ticket") != "a b&c" {
			t.Errorf("%q answers %v", raw, got)
		}
	})
}
