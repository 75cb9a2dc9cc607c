package hrana

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/zen-auth/zen/internal/text"
)

const (
	maxErrorBody = 64 << 10 // bytes read of an error's body
	maxErrorText = 1 << 10  // bytes kept of its text
)

// httpError reads what the server said instead of an answer. onStream reports
// that the request had a baton.
func (x *exchange) httpError(resp *http.Response, onStream bool) error {
	e := &HTTPError{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header.Get("Retry-After"))}
	if e.Status >= 300 && e.Status < 400 {
		e.Message = "redirects are not followed, the token must not go elsewhere"
		return e
	}
	body, err := io.ReadAll(io.LimitReader(x, maxErrorBody))
	if err != nil && len(body) == 0 && x.parent.Err() != nil {
		return err
	}
	structured := e.parse(body)
	e.streamLost = onStream && e.isStreamLost(structured)
	return e
}

// parse takes code and message out of the shapes in use: Hrana's
// {"message","code"}, sqld's {"error":"…"}, and {"error":{"message","code"}}.
func (e *HTTPError) parse(body []byte) (structured bool) {
	var b struct {
		Message, Code string
		Error         json.RawMessage
	}
	if json.Unmarshal(body, &b) != nil {
		e.Message = text.Line(string(body), maxErrorText)
		return false
	}
	if len(b.Error) > 0 && b.Message == "" {
		if json.Unmarshal(b.Error, &b.Message) != nil {
			_ = json.Unmarshal(b.Error, &b) // neither: the status must do
		}
	}
	e.Message, e.Code = text.Line(b.Message, maxErrorText), text.Line(b.Code, maxErrorText)
	return true
}

// isStreamLost knows the ways in which servers say that they don't know a
// baton: a STREAM_ code or 410, sqld's plain text 400 "invalid baton" after a
// restart, Turso's 404 "stream not found".
func (e *HTTPError) isStreamLost(structured bool) bool {
	return strings.HasPrefix(e.Code, "STREAM_") ||
		e.Status == http.StatusGone || e.Status == http.StatusNotFound ||
		e.Status == http.StatusBadRequest && !structured
}

// retryAfter reads the header's two forms, RFC 9110 section 10.2.3.
func retryAfter(value string) time.Duration {
	if n, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at).Round(time.Second))
	}
	return 0
}
