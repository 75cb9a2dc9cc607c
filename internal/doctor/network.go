package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
)

// askTimeout limits one request over the network, including its response.
const askTimeout = 5 * time.Second

// contacted is the database's response to a browser's preflight request, which needs no
// token.
type contacted struct {
	status int
	header http.Header
}

// pace is the time that a response took: until it began, and from there to its end.
type pace struct{ first, rest time.Duration }

// A response over an open connection is called slow if it takes longer than this. Packets
// need at most 300 ms to go around the earth, and the few bytes of a small response arrive
// together.
const (
	slowFirst = 400 * time.Millisecond
	slowRest  = 40 * time.Millisecond
)

func (p pace) slow() bool { return p.first > slowFirst || p.rest > slowRest }

// dated compares this machine's clock with a server's, by the Date of a response.
type dated struct {
	host  string
	ahead time.Duration // how far this machine's clock is ahead
}

// ask sends a request, and reads the response.
func (e *exam) ask(ctx context.Context, method, address string, header http.Header, body string) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	maps.Copy(req.Header, header)
	began := time.Now()
	resp, err := e.Client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	answered := time.Now()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	e.pace = pace{answered.Sub(began), time.Since(answered)}
	if date, dateErr := http.ParseTime(resp.Header.Get("Date")); dateErr == nil {
		e.dates = append(e.dates, dated{req.URL.Host, time.Since(date).Round(time.Second)})
	}
	return resp, text, err
}

// origin returns the origin of the page that a browser would send a query from.
func (e *exam) origin() string {
	return cmp.Or(e.Origin, "https://app.example")
}

// address returns the database's base URL, without a slash at its end.
func (e *exam) address() string {
	u, err := libsql.Address(e.Profile.Database.Value)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.String(), "/")
}

// network reaches the database, and compares the clocks.
func (e *exam) network(ctx context.Context) {
	address := e.address()
	if address == "" {
		_, err := libsql.Address(e.Profile.Database.Value)
		e.fail("config.database-url", err, "", "")
		return
	}
	resp, _, err := e.ask(ctx, http.MethodOptions, address+"/v2/pipeline", http.Header{
		"Origin":                         {e.origin()},
		"Access-Control-Request-Method":  {http.MethodPost},
		"Access-Control-Request-Headers": {"authorization,content-type"},
	}, "")
	if err != nil {
		e.unreachable("the database", err)
		return
	}
	e.contact = &contacted{resp.StatusCode, resp.Header}
	if resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests {
		e.add(Finding{
			ID: "network.trouble", Severity: provider.SeverityError, Kind: provider.ErrUnavailable,
			Observed: fmt.Sprintf("the database answers %s", resp.Status), Next: "try again later; Turso reports outages at https://status.turso.tech",
		})
		return
	}
	e.ok("network.reached", resp.Request.URL.Host+" answers")
	e.clock()
	e.slowness(ctx, address, resp.Request.URL.Host)
}

// slowness sends a request that the database refuses, over the connection that is open
// by now. If the response is slow, it tries again: the fastest of three counts.
func (e *exam) slowness(ctx context.Context, address, host string) {
	var best pace
	for i := range 3 {
		if _, _, err := e.ask(ctx, http.MethodPost, address+"/v2/pipeline", nil, `{"requests":[]}`); err != nil {
			return // the layer database reports it
		}
		if i == 0 || e.pace.first+e.pace.rest < best.first+best.rest {
			best = e.pace
		}
		if !best.slow() {
			return
		}
	}
	e.add(Finding{
		ID: "network.slow", Severity: provider.SeverityWarn, Kind: provider.ErrUnavailable,
		Observed: fmt.Sprintf("%s is slow: its fastest answer took %s to start, and another %s for its few bytes", host, best.first.Round(time.Millisecond), best.rest.Round(time.Millisecond)),
		Cause:    "a slow network or proxy, or a database that is far away", Next: "check whether the database's region is near; zen db query --mode replica reads without the network",
	})
}

// unreachable reports which step of a connection failed.
func (e *exam) unreachable(what string, err error) {
	id, cause, next := "network.unreachable", "", "check the network connection and HTTPS_PROXY"
	var dns *net.DNSError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var cert *tls.CertificateVerificationError
	switch {
	case provider.Kind(err) == provider.ErrConfig:
		id, next = "network.proxy", provider.Hint(err)
	case errors.As(err, &dns):
		id, cause, next = "network.dns", "the name "+dns.Name+" can't be resolved", "check the URL, and the DNS settings of this machine"
	case errors.As(err, &unknown), errors.As(err, &name), errors.As(err, &cert):
		id, cause, next = "network.tls", "this machine doesn't trust the server's certificate", "if your network uses its own certificate authority, set SSL_CERT_FILE to the file with its certificate"
	case provider.Hint(err) != "":
		next = provider.Hint(err) // something other than the database answered
	}
	e.add(Finding{
		ID: id, Severity: provider.SeverityError, Kind: cmp.Or(provider.Kind(err), provider.ErrUnavailable),
		Observed: what + " can't be reached: " + plainError(err), Cause: cause, Next: next,
	})
}

// clock compares this machine's clock with those of the servers that answered so far.
func (e *exam) clock() {
	for _, d := range e.dates {
		// Date has whole seconds, and the response took some time.
		if d.ahead.Abs() <= jwks.Skew+2*time.Second {
			continue
		}
		direction := "ahead of"
		if d.ahead < 0 {
			direction = "behind"
		}
		e.add(Finding{
			ID: "network.clock", Severity: provider.SeverityError, Kind: provider.ErrConfig,
			Observed: fmt.Sprintf("this machine's clock is %s %s that of %s", d.ahead.Abs(), direction, d.host),
			Cause:    "to one of the two, tokens look expired or not yet valid",
			Next:     "synchronize the clock: timedatectl set-ntp true",
		})
		return
	}
	if len(e.dates) > 0 {
		e.ok("network.clock", "the clocks agree")
	}
}
