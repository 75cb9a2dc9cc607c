// Package link reaches a remote database: the driver, and the transport under it that
// puts the session's token on requests. Package libsql opens handles with it, and zen
// proxy forwards through it. Package replica registers here what only go-libsql can do.
package link

import (
	"cmp"
	"database/sql/driver"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/transport"
)

// Config says which database to reach, and how.
type Config struct {
	Target provider.Target
	// Address is Target's URL as libsql.Address returns it.
	Address *url.URL
	Access  provider.Access
	Source  transport.Source
	// Base carries the requests. If nil, the link has a transport of its own.
	Base http.RoundTripper
	// RemoteEncryption is the key of a database that Turso keeps encrypted, as base64.
	RemoteEncryption provider.Secret
	// Timeout limits how long the server may be silent. Zero means a minute.
	Timeout     time.Duration
	TxMode      hrana.TxMode
	TimesAsText bool
}

// Link is a way to a remote database. Close ends the driver and the transport.
type Link struct {
	*hrana.Connector
	// Address is the database's base.
	Address *url.URL
	// Transport sends requests to the database, and to nothing else.
	Transport http.RoundTripper
	// Timeout is Config's.
	Timeout time.Duration
	own     *transport.PatientTransport
}

// Dial makes a link. It does not touch the network.
func Dial(config Config) (*Link, error) {
	link := &Link{Address: config.Address, Transport: config.Base, Timeout: config.Timeout}
	if link.Transport == nil {
		base := NewBase()
		base.ResponseHeaderTimeout = cmp.Or(config.Timeout, base.ResponseHeaderTimeout)
		link.own = transport.Patient(base)
		link.Transport = link.own
	}
	link.Transport = httpclient.Wrap(link.Transport)
	if !config.RemoteEncryption.IsZero() {
		link.Transport = encryptionKey{link.Transport, config.RemoteEncryption}
	}
	link.Transport = transport.New(link.Transport, config.Source, config.Target, config.Address, config.Access)
	var err error
	link.Connector, err = hrana.NewConnector(hrana.Config{
		URL: config.Address, Transport: link.Transport,
		Timeout: config.Timeout, TxMode: config.TxMode, TimesAsText: config.TimesAsText,
	})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", provider.ShownURL(config.Target.URL), err)
	}
	return link, nil
}

// Close implements io.Closer. It closes the idle connections of the link's own transport.
func (l *Link) Close() error {
	err := l.Connector.Close()
	if l.own != nil {
		l.own.CloseIdleConnections()
	}
	return err
}

// Conn is a connection of a link, as package hrana makes it.
type Conn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// NewBase returns package httpclient's transport, with as many idle connections to the
// one host as a *sql.DB may have in use.
func NewBase() *http.Transport {
	base := httpclient.New()
	base.MaxIdleConnsPerHost = 64
	base.ReadBufferSize = 32 << 10 // as much as the driver reads: a large answer is many small chunks
	return base
}

// encryptionKey adds the key of a database that is encrypted at the server.
type encryptionKey struct {
	http.RoundTripper
	key provider.Secret
}

// RoundTrip implements http.RoundTripper.
func (e encryptionKey) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("X-Turso-Encryption-Key", e.key.Reveal())
	return e.RoundTripper.RoundTrip(req)
}

// Interface guards
var _ io.Closer = (*Link)(nil)
