package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/zen-auth/zen/internal/text"
)

// frameSize is a WAL frame of the sync protocol: a header and a page of 4 KiB.
const frameSize = 24 + 4096

// maxAnswer bounds what is read of an answer that is no data.
const maxAnswer = 64 << 10

// checkReplica holds answers back that go-libsql's sync can't bear.
//
// Its probe of /info takes every refusal but 401 for a server of an older protocol:
// it tries that one for three seconds and leaves files behind that no later attempt
// can open. A 502 it repeats for six seconds. And a truncated WAL frame, or an empty
// answer, is an error without a cause. So every failure comes to it as a 401, at
// which it ends at once, and the reason is in [Handler.Failure].
//
// A 400 or 500 that names a generation is no failure: it ends the generation.
func (h *Handler) checkReplica(x *exchange, resp *http.Response) error {
	switch status := resp.StatusCode; {
	case status == http.StatusOK && x.route.name == "sync" && resp.Request.Method == http.MethodGet:
		if n := resp.ContentLength; n == 0 || n > 0 && n%frameSize != 0 {
			return fmt.Errorf("the database sent %d bytes of WAL frames, which is no whole number of them", n)
		}
		return nil
	case status == http.StatusOK && x.route.name == "info":
		return checkInfo(resp)
	case status >= 200 && status < 300:
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the database's answer: %w", err)
	}
	ends := resp.StatusCode == http.StatusBadRequest || resp.StatusCode == http.StatusInternalServerError
	if generation, ok := generationOf(body, "generation"); ends && x.route.name == "sync" && ok && generation > 0 {
		replay(resp, body)
		return nil
	}
	answer := &Answer{Status: resp.StatusCode, Text: text.Reason(body, 100)}
	if x.route.name == "info" && answer.Status == http.StatusNotFound && answer.Text == "" {
		return errNoSync // a database that isn't there is told in words
	}
	return answer
}

// checkInfo makes sure that there is a generation to follow.
func checkInfo(resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the database's answer: %w", err)
	}
	if generation, ok := generationOf(body, "current_generation"); !ok || generation < 1 {
		return fmt.Errorf("the database doesn't speak the sync protocol of embedded replicas: it answers /info with %q", text.Reason(body, 100))
	}
	replay(resp, body)
	return nil
}

func replay(resp *http.Response, body []byte) {
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	resp.Header.Set("Content-Length", fmt.Sprint(len(body)))
}

func generationOf(body []byte, key string) (uint32, bool) {
	var fields map[string]json.RawMessage
	var n uint32
	if json.Unmarshal(body, &fields) != nil || json.Unmarshal(fields[key], &n) != nil {
		return 0, false
	}
	return n, true
}
