package hrana

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Config says which database to reach and how.
type Config struct {
	// URL is the database's base: http or https, with the path prefix that a
	// server for several databases wants, such as /dbs/NAME. It may hold no
	// user, query or fragment: what authenticates belongs to Transport.
	URL *url.URL

	// Transport sends the requests and puts the token on them. Redirects are
	// never followed. Pooling, TLS and proxies are its own. Requests carry
	// GetBody, so that it may send one again that the server refused unrun.
	Transport http.RoundTripper

	// Timeout is the longest silence of the server: until the answer begins,
	// and between two pieces of it. It counts whatever the context allows. The
	// default is a minute; negative means none.
	Timeout time.Duration

	// MaxMemory bounds, in bytes, what a result may take if it can't be
	// streamed: the row that is read, whose newest value counts twice, the rest of
	// rows that are open while their transaction goes on, and the rows of several
	// statements. The default is 256 MiB.
	MaxMemory int

	// TimesAsText leaves what date columns hold as it is stored. Otherwise it is a
	// time.Time, as the package says under Values.
	TimesAsText bool

	// TxMode says how BeginTx begins, [Deferred] by default.
	TxMode TxMode
}

// TxMode says when a transaction takes its locks.
type TxMode uint8

const (
	// Deferred locks nothing before the first statement, which BEGIN then
	// travels with.
	Deferred TxMode = iota
	// Immediate takes the write lock at once, in a request of its own, so that
	// a transaction that reads and then writes can't fail half-way for a lock.
	Immediate
)

const (
	defaultTimeout   = time.Minute
	defaultMaxMemory = 256 << 20

	// closeTimeout is for giving up a stream on the server, which no caller waits
	// for but Connector.Close: sqld forgets it after 10 s by itself.
	closeTimeout = 5 * time.Second
)

func (m TxMode) begin() string {
	if m == Immediate {
		return "BEGIN IMMEDIATE"
	}
	return "BEGIN"
}

func (c *Config) setDefaults() error {
	switch u := c.URL; {
	case u == nil:
		return errors.New("hrana: Config.URL is missing")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("hrana: URL scheme %q is not http or https", u.Scheme)
	case u.Host == "":
		return errors.New("hrana: URL has no host")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Opaque != "":
		return errors.New("hrana: URL must be scheme, host and path alone")
	case c.Transport == nil:
		return errors.New("hrana: Config.Transport is missing")
	case c.TxMode > Immediate:
		return errors.New("hrana: Config.TxMode must be Deferred or Immediate")
	}
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	if c.MaxMemory <= 0 {
		c.MaxMemory = defaultMaxMemory
	}
	return nil
}
