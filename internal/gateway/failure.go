package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"

	"github.com/zen-auth/zen/core/provider"
)

// fail answers a request that got no answer, or none that may be passed on. The
// statuses tell clients that are not zen's what they may do about it: a 503 is worth
// another try, a 401 is not.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	x := exchangeOf(r)
	if cause := context.Cause(x.ctx); cause == errLeaving {
		err = cause
	}
	x.err = err
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		x.status = 499 // the client went away; no one reads this
		return
	}
	h.failed(err)
	status, code := failureStatus(err)
	if h.config.Replica {
		status = http.StatusUnauthorized
	}
	if wait := provider.RetryAfter(err); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
	}
	x.refuse(status, code, described(err))
}

// described returns an error with its hint.
func described(err error) string {
	if hint := provider.Hint(err); hint != "" {
		return err.Error() + " (" + hint + ")"
	}
	return err.Error()
}

func failureStatus(err error) (status int, code string) {
	var timeout net.Error
	switch kind := provider.Kind(err); {
	case errors.Is(kind, provider.ErrPermission):
		return http.StatusForbidden, "ZEN_NOT_PERMITTED"
	case errors.Is(kind, provider.ErrNoCredential), errors.Is(kind, provider.ErrTokenExpired), errors.Is(kind, provider.ErrTokenInvalid), errors.Is(kind, provider.ErrRejected):
		return http.StatusUnauthorized, "ZEN_SIGN_IN_NEEDED"
	case errors.Is(kind, provider.ErrUnavailable):
		return http.StatusServiceUnavailable, "ZEN_UNAVAILABLE"
	case kind != nil:
		return http.StatusInternalServerError, "ZEN_CONFIGURATION"
	case errors.As(err, &timeout) && timeout.Timeout():
		return http.StatusGatewayTimeout, "ZEN_TIMEOUT"
	}
	return http.StatusBadGateway, "ZEN_UPSTREAM"
}

// Answer is an error that the database answered to a request of the sync protocol.
type Answer struct {
	// Status is the HTTP status, Text the beginning of the body, printable.
	Status int
	Text   string
}

// Error implements error.
func (a *Answer) Error() string {
	if a.Text == "" {
		return fmt.Sprintf("the database answers with HTTP status %d", a.Status)
	}
	return fmt.Sprintf("the database answers with HTTP status %d: %s", a.Status, a.Text)
}

// Unwrap returns the contract's class, if the status has one.
func (a *Answer) Unwrap() error {
	switch {
	case a.Status == http.StatusForbidden:
		return provider.ErrPermission
	case a.Status == http.StatusTooManyRequests || a.Status >= 500:
		return provider.ErrUnavailable
	}
	return nil
}

// Interface guards
var _ error = (*Answer)(nil)
