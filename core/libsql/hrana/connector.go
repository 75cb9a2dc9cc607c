package hrana

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Connector makes connections to one database; hand it to [database/sql.OpenDB].
// It is safe for concurrent use. A connection is cheap, being no more than a
// place for a transaction's stream: requests share what the transport pools.
type Connector struct {
	config Config
	base   endpoints

	checked texts

	// version is the protocol that the server speaks, 2 or 3, and 0 before the
	// first answer.
	version atomic.Int32

	mu      sync.Mutex // guards closed, and adding to closing once it is set
	closed  bool
	closing sync.WaitGroup
	// ended is closed with the connector.
	ended chan struct{}
}

// NewConnector checks the configuration. It does not touch the network.
func NewConnector(config Config) (*Connector, error) {
	if err := config.setDefaults(); err != nil {
		return nil, err
	}
	return &Connector{config: config, base: newEndpoints(config.URL), ended: make(chan struct{})}, nil
}

// Connect returns a new connection, without touching the network.
func (c *Connector) Connect(context.Context) (driver.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	return &conn{c: c}, nil
}

// Driver returns a driver that opens nothing by name: a token never travels in
// a data source name, so there is none to parse.
func (c *Connector) Driver() driver.Driver { return nameless{} }

type nameless struct{}

func (nameless) Open(string) (driver.Conn, error) {
	return nil, errors.New("hrana: open with sql.OpenDB(hrana.NewConnector(…)), not by name")
}

// Close waits until the streams that are being given up are closed on the
// server, at most 5 s. Connections that are in use stay usable. sql.DB.Close
// calls it.
func (c *Connector) Close() error {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.ended)
	}
	c.mu.Unlock()
	c.closing.Wait()
	return nil
}

// abandon closes a stream on the server, in the background and with a deadline
// of its own. That it fails does not matter: the server gives up an idle stream
// by itself, only later.
func (c *Connector) abandon(st stream) {
	if st.baton == "" {
		return
	}
	c.mu.Lock()
	closed := c.closed
	if !closed {
		c.closing.Add(1)
	}
	c.mu.Unlock()
	if closed { // no one would wait for it
		c.closeStream(st)
		return
	}
	go func() {
		defer c.closing.Done()
		c.closeStream(st)
	}()
}

// closeStream asks the server to close a stream. Until the server has done so, the stream's
// transaction may keep everybody else from writing, for seconds; and what lost the
// transaction, a moment without a network, may lose the message, too. So it is sent
// again until a server answers or the connector ends.
func (c *Connector) closeStream(st stream) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		_, _, err := c.run(ctx, call{st: &st, closing: true})
		if !isOutage(err) {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
			continue
		case <-c.ended:
		case <-ctx.Done():
		}
		timer.Stop()
		return
	}
}

// isOutage reports that the network failed, or what is before the server.
func isOutage(err error) bool {
	if failed := (*exchangeError)(nil); errors.As(err, &failed) {
		var network net.Error // the transport may also have refused by itself
		return errors.As(failed.err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	}
	failed := (*HTTPError)(nil)
	return errors.As(err, &failed) && (failed.Status >= 500 || failed.Status == http.StatusTooManyRequests)
}

// Interface guards
var (
	_ driver.Connector = (*Connector)(nil)
	_ io.Closer        = (*Connector)(nil)
)
