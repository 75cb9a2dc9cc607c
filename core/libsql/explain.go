package libsql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"

	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/transport"
)

// Explain returns an error of the database in words for people, with a hint where there
// is one: see provider.Hint. What a session or a refusal says of itself is left without
// the driver's words around it; errors of SQL and an *AppliedError come back as they are.
//
// It is for showing an error. To act on one, errors.Is finds the classes of package
// provider in what database/sql returns, too.
func Explain(err error) error {
	var applied *AppliedError
	var refused *transport.Refused
	var classed *provider.Error
	var inBand *hrana.Error
	var httpErr *hrana.HTTPError
	var netErr net.Error
	var file *fs.PathError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &applied):
		return err // that it was applied matters more than why the replica lags
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &classed):
		return classed
	case errors.As(err, &inBand):
		return explainInBand(inBand)
	case errors.Is(err, hrana.ErrStreamExpired):
		return err
	case errors.As(err, &httpErr):
		return explainHTTP(err, httpErr)
	case errors.Is(err, hrana.ErrProtocol):
		return &provider.Error{
			Kind: provider.ErrUnavailable, Message: "the answer is not that of a database: " + err.Error(),
			Hint: "is the database URL right, and does something between answer, such as a proxy?", Err: err,
		}
	case provider.Kind(err) != nil && !errors.Is(err, provider.ErrUnavailable):
		return err
	case errors.Is(err, context.Canceled), errors.As(err, &file):
		return err // a file's error may have a system call's, which passes for a network's
	case errors.As(err, &netErr), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF): // net/http's words for a cut
		return &provider.Error{
			Kind:    provider.ErrUnavailable,
			Message: fmt.Sprintf("the database can't be reached: %v", err),
			Hint:    "check the network and the database URL",
			Err:     err,
		}
	}
	return err
}

// explainInBand distinguishes what a session may not do from what no one may do at present,
// for which there is nothing but the text.
func explainInBand(e *hrana.Error) error {
	switch {
	case e.Code == "BLOCKED" && !strings.Contains(e.Message, "current session"):
		return &provider.Error{Kind: provider.ErrPermission, Message: e.Message, Hint: "the organization's plan blocks it: look at turso plan show", Err: e}
	case e.Code == "BLOCKED", errors.Is(e, &hrana.Error{Code: "SQLITE_AUTH"}):
		return &provider.Error{Kind: provider.ErrPermission, Message: e.Message, Hint: "the token doesn't allow it: ask for more access, or sign in with more", Err: e}
	}
	return e
}

func explainHTTP(err error, e *hrana.HTTPError) error {
	explained := &provider.Error{Kind: provider.Kind(e), Message: err.Error(), Err: err}
	switch {
	case explained.Kind == nil:
		return err
	case e.Status == http.StatusNotFound:
		explained.Hint = "is the database URL right, and does the database still exist?"
	case e.Status/100 == 3:
		explained.Hint = "something between here and the database answers, such as the network's sign-in page; or the database URL is another server's"
	case explained.Kind == provider.ErrUnavailable:
		explained.Hint = "try again later"
	}
	return explained
}
