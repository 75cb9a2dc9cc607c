package turso

import (
	"net"
	"net/http"
	"strings"

	"github.com/zen-auth/zen/devstack/dbsync"
	"github.com/zen-auth/zen/devstack/hrana"
)

// address says what a request asks of which database.
type address struct{ database, path string }

// databasePrefix begins the paths of databases by their names.
const databasePrefix = "/dbs/"

// locate finds out whether a request is for a database, in one of the ways in which
// clients say so:
//
//   - /dbs/NAME/PATH, as the stack's URLs have it.
//   - NAME.localhost/PATH, or the header x-namespace, as libsql-server has it.
//   - /dbs/PATH, which is what clients make of the URL /dbs/NAME that take it for a file
//     in /dbs/, @libsql/client among them; and /PATH alone, which is what `turso db
//     export` makes of it. The token says which database it is for.
func (s *Server) locate(r *http.Request) (a address, ok bool) {
	if name := namespace(r); name != "" {
		return address{name, r.URL.Path}, true
	}
	rest, ok := strings.CutPrefix(r.URL.Path, databasePrefix)
	if !ok {
		if dbsync.Match(r.URL.Path) {
			return address{s.namedByToken(r), r.URL.Path}, true
		}
		return a, false
	}
	a.database, a.path, _ = strings.Cut(rest, "/")
	a.path = "/" + a.path
	if path := "/" + rest; hrana.Match(path) || dbsync.Match(path) {
		s.mu.RLock()
		known := s.paths[a.database] != nil
		s.mu.RUnlock()
		if !known {
			return address{s.namedByToken(r), path}, true
		}
	}
	return a, true
}

// namespace returns the database that a request names as libsql-server's clients do.
func namespace(r *http.Request) string {
	if name := r.Header.Get("x-namespace"); name != "" {
		return name
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	name, ok := strings.CutSuffix(strings.ToLower(host), ".localhost")
	if !ok {
		return ""
	}
	name, _, _ = strings.Cut(name, ".")
	return name
}

// namedByToken returns the name under /dbs/ of the one database that the request's
// token is good for, or "" if there are several, or none.
func (s *Server) namedByToken(r *http.Request) string {
	raw, _ := bearer(r)
	t, err := parseToken(raw)
	if err != nil {
		return ""
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	found := ""
	for path, db := range s.paths {
		if t.claims.rights(db) == nil {
			continue
		}
		if found != "" {
			return ""
		}
		found = path
	}
	return found
}
