package hrana

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/zen-auth/zen/internal/text"
)

// Version asks the server what it is: the text of libsql-server's GET /version,
// bounded and printable. It is empty if the server doesn't say. The connection
// must be one of a [Connector].
func Version(ctx context.Context, connection *sql.Conn) (version string, err error) {
	err = connection.Raw(func(driverConn any) error {
		c, ok := driverConn.(*conn)
		if !ok {
			return fmt.Errorf("hrana: a connection of type %T is another driver's", driverConn)
		}
		version, err = c.c.serverVersion(ctx)
		return err
	})
	return version, err
}

func (c *Connector) serverVersion(ctx context.Context) (string, error) {
	if c.config.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.config.Timeout)
		defer cancel()
	}
	u := c.base.base.JoinPath("version")
	req := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: http.Header{}}
	resp, err := c.config.Transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return "", &exchangeError{err: err, cause: ctx.Err()}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorText))
	if err != nil {
		return "", &exchangeError{err: err, cause: ctx.Err()}
	}
	if resp.StatusCode != http.StatusOK || strings.HasPrefix(string(body), "<") { // a gateway's page
		return "", nil
	}
	return text.Line(string(body), maxErrorText), nil
}
