package gateway

import (
	"net/http"
	"strings"
)

// route is a kind of request that is forwarded.
type route struct {
	name string
	// hrana answers are JSON, or lines of JSON, with a base_url in the first object.
	hrana bool
	// protobuf answers are Hrana in Protobuf.
	protobuf bool
}

var (
	get     = []string{http.MethodGet, http.MethodHead}
	post    = []string{http.MethodPost}
	getPost = []string{http.MethodGet, http.MethodPost}
)

// lookup finds what a cleaned path is for. The path of a stream that a server moved
// by base_url has a prefix.
func lookup(path string) (route, []string) {
	switch path {
	case "/v1", "/v2", "/v3", "/v3-protobuf", "/version", "/health":
		return route{name: "probe"}, get
	case "/info":
		return route{name: "info"}, get
	case "/dump":
		return route{name: "dump"}, get
	case "/", "/v1/execute", "/v1/batch":
		return route{name: "execute"}, post
	}
	switch {
	case strings.HasSuffix(path, "/v2/pipeline"), strings.HasSuffix(path, "/v3/pipeline"):
		return route{name: "pipeline", hrana: true}, post
	case strings.HasSuffix(path, "/v3/cursor"):
		return route{name: "cursor", hrana: true}, post
	case strings.HasSuffix(path, "/v3-protobuf/pipeline"):
		return route{name: "pipeline", protobuf: true}, post
	case strings.HasSuffix(path, "/v3-protobuf/cursor"):
		return route{name: "cursor", protobuf: true}, post
	case strings.HasPrefix(path, "/export/"):
		return route{name: "export"}, get
	case strings.HasPrefix(path, "/sync/"):
		return route{name: "sync"}, getPost
	case strings.HasPrefix(path, "/pull/"), path == pullUpdates:
		return route{name: "pull"}, getPost
	}
	return route{}, nil
}

// isProbe recognizes a client that looks which versions of Hrana there are, and shows no bearer
// for that: hrana-client-ts, which goes back to version 2 after a refusal.
func isProbe(r *http.Request) bool {
	path := clean(r.URL.Path)
	return r.Method == http.MethodGet && r.Header.Get("Authorization") == "" && (path == "/v2" || path == "/v3" || path == "/v3-protobuf")
}

// answerProbe says what each libsql-server says since 2023. The database isn't asked: not
// for who may not use it.
func (x *exchange) answerProbe() {
	x.route = route{name: "probe"}
	x.Header().Set("Content-Type", "text/plain")
	x.WriteHeader(http.StatusOK)
	_, _ = x.Write([]byte("Hello, this is HTTP API v2 (Hrana over HTTP)"))
}

// clean makes one slash of several, which go-libsql sends when its URL ends in one,
// and refuses what would leave the database's path by making it "".
func clean(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return ""
		}
	}
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	return path
}
