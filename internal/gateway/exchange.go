package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/zen-auth/zen/internal/text"
)

// exchange is one request and its answer: the ResponseWriter that it is given to the
// proxy as, and what the proxy's hooks have to know.
type exchange struct {
	http.ResponseWriter
	began  time.Time
	route  route
	path   string // cleaned
	host   string // of the request
	held   bool   // all of the request's body is in memory
	status int
	err    error
	ctx    context.Context // of the request to the database
	cancel context.CancelCauseFunc
	// poll is how long the client waits for news; 0 where it doesn't.
	poll time.Duration
	// begun stops what ends a poll that has nothing to tell yet.
	begun func() bool
}

type exchangeKey struct{}

func withExchange(ctx context.Context, x *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

func exchangeOf(r *http.Request) *exchange { return r.Context().Value(exchangeKey{}).(*exchange) }

// end frees what the exchange holds.
func (x *exchange) end() {
	if x.begun != nil {
		x.begun()
	}
	x.cancel(nil)
}

// WriteHeader notes the status. An interim one (103 Early Hints, say) isn't passed on:
// its header is the database's, with cookies and all, which nothing has looked at.
func (x *exchange) WriteHeader(status int) {
	if status < 200 {
		return
	}
	x.status = status
	x.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController flush.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// refuse answers with an error that every libSQL client shows: Turso's is read from
// error, libsql-server's from message and code. The Content-Type has no charset,
// because @libsql/client takes no other.
func (x *exchange) refuse(status int, code, message string) {
	body, _ := json.Marshal(struct {
		Error   string `json:"error"`
		Message string `json:"message"`
		Code    string `json:"code"`
	}{message, message, code})
	x.Header().Set("Content-Type", "application/json")
	x.Header().Set("Cache-Control", "no-store")
	x.WriteHeader(status)
	_, _ = x.Write(body) // the client may have gone
}

// short makes what a client sent fit to be shown.
func short(s string) string { return text.Line(s, 100) }
