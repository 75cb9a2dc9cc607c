package turso

import (
	"encoding/json"
	"net/http"
	"net/url"
)

// lacking returns the error for something that Turso supports and the stand-in doesn't,
// so that it isn't silently ignored.
func lacking(what string) error {
	return &statusError{http.StatusNotImplemented, "the local stack lacks " + what}
}

// lacks answers a request that Turso has and the stand-in lacks.
func (s *Server) lacks(what string) handler {
	return func(*call) (any, error) { return nil, lacking(what) }
}

// without refuses a body with a non-empty member that Turso supports and the stand-in
// lacks. Members that Turso doesn't document are ignored, as Turso does.
func (c *call) without(members ...string) error {
	var body map[string]json.RawMessage
	if len(c.body) == 0 || json.Unmarshal(c.body, &body) != nil {
		return nil // decode says what is wrong with it
	}
	for _, name := range members {
		switch v := string(body[name]); v {
		case "", "null", "false", `""`, "0", `"0"`, "{}", "[]":
		default:
			return lacking("the parameter " + name)
		}
	}
	return nil
}

// withoutQuery does the same for the parameters of a query.
func withoutQuery(q url.Values, names ...string) error {
	for _, name := range names {
		if q.Get(name) != "" {
			return lacking("the parameter " + name)
		}
	}
	return nil
}
