package traffic

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
)

// reason finds in an answer why it is an error, in the words of the server. The
// shapes are Turso's {"error": TEXT} and {"error": {"message", "code"}}, Clerk's
// {"errors": [{"code", "long_message"}]}, and OAuth's {"error",
// "error_description"} (RFC 6749, 5.2); else it is the first line of a text.
func reason(body []byte, status int) string {
	var shape struct {
		Error       json.RawMessage `json:"error"`
		Description string          `json:"error_description"`
		Message     string          `json:"message"`
		Code        string          `json:"code"`
		Errors      []struct {
			Code    string `json:"code"`
			Message string `json:"message"`
			Long    string `json:"long_message"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &shape) == nil {
		if len(shape.Errors) > 0 {
			e := shape.Errors[0]
			e.Long = cmp.Or(e.Long, e.Message)
			return join(e.Code, e.Long)
		}
		var text string
		var inner failure
		switch {
		case len(shape.Error) > 0 && json.Unmarshal(shape.Error, &text) == nil:
			return join(text, shape.Description)
		case len(shape.Error) > 0 && json.Unmarshal(shape.Error, &inner) == nil:
			return join(inner.Code, inner.Message)
		case shape.Message != "":
			return join(shape.Code, shape.Message)
		}
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
	if line == "" || line[0] == '<' || line[0] == '{' {
		return http.StatusText(status)
	}
	return short(line)
}

type failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func join(code, text string) string {
	if code == "" || text == "" {
		return short(code + text)
	}
	return short(code + ": " + text)
}

// marks are parts of a Hrana answer with an error. A quote in a value is
// escaped, so that no row can look like one.
var marks = [][]byte{[]byte(`"type":"error"`), []byte(`"type":"step_error"`), []byte(`"step_errors":[`)}

// embedded finds the first error in the results of a pipeline or cursor, which
// are answered with 200 whatever the statements did.
func embedded(body []byte) (failure, bool) {
	for _, mark := range marks {
		if bytes.Contains(body, mark) {
			return firstFailure(body)
		}
	}
	return failure{}, false
}

func firstFailure(body []byte) (failure, bool) {
	decoder := json.NewDecoder(bytes.NewReader(body)) // a cursor is several documents
	for {
		var document any
		if decoder.Decode(&document) != nil {
			return failure{}, false
		}
		if f, ok := find(document); ok {
			return f, true
		}
	}
}

// forbidden reports whether the token was at fault rather than the statement.
func (f failure) forbidden() bool {
	return f.Code == "BLOCKED" || strings.HasPrefix(f.Code, "SQLITE_AUTH")
}

// find looks for the object {"message", "code"} that an error is.
func find(value any) (failure, bool) {
	switch v := value.(type) {
	case map[string]any:
		if inner, ok := v["error"].(map[string]any); ok {
			return asFailure(inner)
		}
		if list, ok := v["step_errors"].([]any); ok {
			for _, item := range list {
				if inner, ok := item.(map[string]any); ok {
					return asFailure(inner)
				}
			}
		}
		for _, name := range []string{"results", "response", "result"} {
			if f, ok := find(v[name]); ok {
				return f, true
			}
		}
	case []any:
		for _, item := range v {
			if f, ok := find(item); ok {
				return f, true
			}
		}
	}
	return failure{}, false
}

func asFailure(object map[string]any) (failure, bool) {
	message, ok := object["message"].(string)
	code, _ := object["code"].(string)
	return failure{code, message}, ok
}
