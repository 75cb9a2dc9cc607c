package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

type patienceKey struct{}

// WithPatience marks a request whose answer may take that much longer to begin than
// usual: the server waits until it has something to tell. That its token ends meanwhile
// is to be expected: see [RoundTripper.RoundTrip].
func WithPatience(ctx context.Context, more time.Duration) context.Context {
	return context.WithValue(ctx, patienceKey{}, more)
}

func patience(ctx context.Context) time.Duration {
	more, _ := ctx.Value(patienceKey{}).(time.Duration)
	return more
}

// errNoAnswer is what net/http's ResponseHeaderTimeout is for a patient request.
var errNoAnswer = fmt.Errorf("the server's answer doesn't begin: %w", context.DeadlineExceeded)

// Patient makes a transport wait longer for the answers to requests that [WithPatience]
// marks, which then go over connections of their own. Others go over base.
func Patient(base *http.Transport) *PatientTransport {
	return &PatientTransport{base: base, slow: sync.OnceValue(func() *http.Transport {
		slow := base.Clone()
		slow.ResponseHeaderTimeout = 0 // bounded for each request
		return slow
	})}
}

// PatientTransport is described at [Patient].
type PatientTransport struct {
	base *http.Transport
	slow func() *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (p *PatientTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	more, usual := patience(req.Context()), p.base.ResponseHeaderTimeout
	if more <= 0 || usual <= 0 {
		return p.base.RoundTrip(req)
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	timer := time.AfterFunc(usual+more, func() { cancel(errNoAnswer) })
	resp, err := p.slow().RoundTrip(req.WithContext(ctx))
	late := !timer.Stop()
	if err == nil && late {
		resp.Body.Close()
		err = errNoAnswer
	}
	if err != nil {
		if errors.Is(context.Cause(ctx), errNoAnswer) {
			err = errNoAnswer
		}
		cancel(nil)
		return nil, err
	}
	resp.Body = &ending{resp.Body, cancel}
	return resp, nil
}

// CloseIdleConnections closes those of both transports.
func (p *PatientTransport) CloseIdleConnections() {
	p.base.CloseIdleConnections()
	p.slow().CloseIdleConnections()
}

// ending is a body with which a context ends.
type ending struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

// Close implements io.Closer.
func (e *ending) Close() error {
	defer e.cancel(nil)
	return e.ReadCloser.Close()
}

// endedWhileWaiting distinguishes a refusal at the end of a token's life from one of the token: a
// patient request was taken up, and refused when half of what was left of it and more had
// passed. (Not when all of it had: clocks differ.) Once its time is up, a request has
// nothing left to wait for.
func endedWhileWaiting(ctx context.Context, refused *Refused, began, sent, now time.Time) bool {
	ends := refused.Claims.Expires
	return now.Sub(began) < patience(ctx) && ends.After(sent) && now.Sub(sent) >= ends.Sub(sent)/2
}

// Interface guards
var _ http.RoundTripper = (*PatientTransport)(nil)
