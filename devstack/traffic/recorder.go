// Package traffic remembers the last requests to the stack, how they were
// answered and why, and the tokens that it issued.
//
// It never holds a secret. Of an Authorization header it keeps the kind, and of a JWT in
// it kid, iss, sub and exp; of a query the names; of a token that was issued the header
// and the claims, without the signature and without claims that are secrets themselves.
// Bodies are inspected as they pass, but not stored.
package traffic

import (
	"crypto/sha256"
	"slices"
	"sync"
	"time"
)

// How much is remembered.
const (
	maxRequests = 200
	maxTokens   = 100
)

// Verdict is the outcome of a request.
type Verdict string

// The verdicts.
const (
	Answered Verdict = "answered"
	// Refused is a 4xx, and what a token does not allow in a database.
	Refused Verdict = "refused"
	// Erred is a statement that failed, although the database answered 200.
	Erred Verdict = "error"
	// Failed is a 5xx.
	Failed Verdict = "failed"
	// Cut is a connection that was ended before the answer was.
	Cut Verdict = "cut"
)

// Request is one request and its answer.
type Request struct {
	Number   uint64 // counts from 1
	Time     time.Time
	Duration time.Duration
	Method   string
	Path     string // with secrets in it replaced
	Query    string // names; each value is "…"
	Service  string // the service that it was for
	Who      Caller
	Status   int // 0 if there was no answer
	Verdict  Verdict
	Reason   string // the reason for a refusal, as sent to the client
	Ignored  string // the parameters that did nothing, as at the real service
}

// Token is a JWT that was issued.
type Token struct {
	Time    time.Time
	Service string // who issued it
	Path    string // of the request that it answered
	JWT
}

// Recorder is the memory. It is safe for concurrent use.
type Recorder struct {
	now     func() time.Time
	callers callers

	mu       sync.Mutex // guards all below
	count    uint64
	requests []Request // a ring: Number n is at (n-1) % maxRequests
	tokens   []Token   // oldest first
	seen     [][sha256.Size]byte
}

// New returns an empty Recorder that goes by the given clock.
func New(now func() time.Time) *Recorder { return &Recorder{now: now} }

// Requests returns the last requests, newest first.
func (r *Recorder) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := slices.Clone(r.requests)
	slices.SortFunc(list, func(a, b Request) int { return int(int64(b.Number) - int64(a.Number)) })
	return list
}

// Tokens returns the last tokens that were issued, newest first.
func (r *Recorder) Tokens() []Token {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := slices.Clone(r.tokens)
	slices.Reverse(list)
	return list
}

func (r *Recorder) add(request Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	request.Number = r.count
	if len(r.requests) < maxRequests {
		r.requests = append(r.requests, request)
		return
	}
	r.requests[(r.count-1)%maxRequests] = request
}

// addToken remembers a token once, however often it is handed out.
func (r *Recorder) addToken(raw []byte, t Token) {
	sum := sha256.Sum256(raw)
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Contains(r.seen, sum) {
		return
	}
	r.tokens, r.seen = append(r.tokens, t), append(r.seen, sum)
	if over := len(r.tokens) - maxTokens; over > 0 {
		r.tokens, r.seen = slices.Delete(r.tokens, 0, over), slices.Delete(r.seen, 0, over)
	}
}
