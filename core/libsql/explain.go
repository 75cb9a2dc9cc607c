package libsql

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
)

// Explain gives an error of the database the class that it has in the contract,
// so that it can be acted on by errors.Is. Errors of SQL itself come back as they
// are.
func Explain(err error) error {
	if err == nil || provider.Kind(err) != nil {
		return err
	}
	var inBand *hrana.Error
	var httpErr *hrana.HTTPError
	var netErr net.Error
	switch {
	case errors.As(err, &inBand):
		return explainInBand(err, inBand)
	case errors.As(err, &httpErr):
		return explainHTTP(err, httpErr)
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &netErr):
		return &provider.Error{
			Kind:    provider.ErrUnavailable,
			Message: fmt.Sprintf("the database can't be reached: %v", err),
			Hint:    "check the network and the database URL",
			Err:     err,
		}
	}
	return err
}

// explainInBand tells the three meanings of the code BLOCKED apart, for which
// there is nothing but the text.
func explainInBand(err error, e *hrana.Error) error {
	if e.Code != "BLOCKED" {
		return err
	}
	hint := "sign in with more access, or ask for it with --access rw"
	if !strings.Contains(e.Message, "current session") {
		hint = "the organisation's plan blocks it: look at turso plan show"
	}
	return &provider.Error{Kind: provider.ErrPermission, Message: e.Message, Hint: hint, Err: err}
}

func explainHTTP(err error, e *hrana.HTTPError) error {
	explained := &provider.Error{Message: err.Error(), Err: err}
	switch {
	case e.Status == http.StatusForbidden:
		explained.Kind = provider.ErrPermission
	case e.Status == http.StatusNotFound:
		explained.Kind = provider.ErrConfig
		explained.Hint = "is the database URL right, and does the database still exist?"
	case e.Status == http.StatusTooManyRequests || e.Status >= 500:
		explained.Kind = provider.ErrUnavailable
		explained.Hint = "try again later"
	default:
		return err
	}
	return explained
}
