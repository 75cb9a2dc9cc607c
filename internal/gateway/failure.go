package gateway

import (
	"context"
	"errors"
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
	status, code := failureStatus(err)
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
