package clerk

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// object is one JSON object of an answer.
type object map[string]any

func writeJSON(w http.ResponseWriter, status int, body any) {
	encoded, err := json.Marshal(body)
	if err != nil {
		status, encoded = http.StatusInternalServerError, []byte(`{"errors":[]}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(encoded)
}

// created is an answer with the status 201.
type created struct{ body any }

func writeAnswer(w http.ResponseWriter, answer any) {
	if c, ok := answer.(created); ok {
		writeJSON(w, http.StatusCreated, c.body)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// writeError answers with ClerkErrors. An error that is not of the catalogue is
// the instance's own fault: 500, without its text.
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
	for name, values := range e.header {
		w.Header()[name] = values
	}
	item := object{"message": e.message, "long_message": e.long, "code": e.code}
	if e.meta != nil {
		item["meta"] = e.meta
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, e.status, object{"errors": []object{item}, "clerk_trace_id": newJTI()})
}
