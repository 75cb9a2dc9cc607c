package clerk

import (
	"errors"
	"io"
	"maps"
	"net/http"

	"github.com/zen-auth/zen/devstack/oauthserver"
)

// object is one JSON object of an answer.
type object map[string]any

// created is an answer with the status 201.
type created struct{ body any }

func writeAnswer(w http.ResponseWriter, answer any) {
	if answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if c, ok := answer.(created); ok {
		oauthserver.WriteJSON(w, http.StatusCreated, c.body)
		return
	}
	oauthserver.WriteJSON(w, http.StatusOK, answer)
}

// writeError answers with ClerkErrors. An error outside the catalogue is an internal
// error: 500, without its text.
func writeError(w http.ResponseWriter, err error) {
	var e *apiError
	if !errors.As(err, &e) {
		e = errInternal()
	}
	if e.html != "" {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(e.status)
		io.WriteString(w, e.html)
		return
	}
	maps.Copy(w.Header(), e.header)
	item := object{"message": e.message, "long_message": e.long, "code": e.code}
	if e.meta != nil {
		item["meta"] = e.meta
	}
	w.Header().Set("Cache-Control", "no-store")
	oauthserver.WriteJSON(w, e.status, object{"errors": []object{item}, "clerk_trace_id": newJTI()})
}
