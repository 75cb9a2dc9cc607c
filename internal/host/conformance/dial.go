package conformance

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/zen-auth/zen/internal/handshake"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// maxMessage is the protocol's limit for one message.
const maxMessage = 1 << 20

// hostIdentity returns the host's key and certificate, and the certificate again in PEM,
// for the provider to trust.
func hostIdentity() (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "zen provider test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// greeting is a parsed handshake line.
type greeting struct {
	network, address string
	certificate      *x509.Certificate
}

// parseGreeting parses a line of the form CORE|PROTOCOL|NETWORK|ADDRESS|grpc|CERTIFICATE.
func parseGreeting(line, dir string) (greeting, error) {
	fields := strings.Split(line, "|")
	if len(fields) < 6 {
		return greeting{}, fmt.Errorf("the line has %d fields, not six: %.60q", len(fields), line)
	}
	if fields[0] != "1" {
		return greeting{}, fmt.Errorf("field 1, the version of the handshake, is %.20q, not 1", fields[0])
	}
	if version, err := strconv.Atoi(fields[1]); err != nil || version != handshake.ProtocolVersion {
		return greeting{}, fmt.Errorf("field 2, the version of the protocol, is %.20q, but this zen speaks %d", fields[1], handshake.ProtocolVersion)
	}
	g := greeting{network: fields[2], address: fields[3]}
	switch {
	case fields[4] != "grpc":
		return g, fmt.Errorf("field 5 is %.20q, not grpc", fields[4])
	case g.network == "unix" && filepath.Dir(g.address) != dir:
		return g, errors.New("field 4: the socket is not in PLUGIN_UNIX_SOCKET_DIR")
	case g.network == "tcp":
		if host, _, err := net.SplitHostPort(g.address); err != nil || !net.ParseIP(host).IsLoopback() {
			return g, fmt.Errorf("field 4, %.40q, is not on loopback", g.address)
		}
	case g.network != "unix":
		return g, fmt.Errorf("field 3 is %.20q, not unix (or, on Windows, tcp)", g.network)
	}
	der, err := base64.RawStdEncoding.DecodeString(fields[5])
	if err != nil {
		return g, fmt.Errorf("field 6 is not standard base64 without padding: %w", err)
	}
	if len(der) == 0 {
		return g, errors.New("field 6 is empty: a certificate is required, because PLUGIN_CLIENT_CERT is set")
	}
	if g.certificate, err = x509.ParseCertificate(der); err != nil {
		return g, fmt.Errorf("field 6 is not a certificate in DER: %w", err)
	}
	if err := g.certificate.VerifyHostname("localhost"); err != nil {
		return g, errors.New("field 6: the certificate lacks the DNS name localhost among its alternative names")
	}
	return g, nil
}

// connection waits for the greeting and returns it, with the TLS configuration of a host.
func (p *process) connection(ctx context.Context) (greeting, *tls.Config, error) {
	line, err := p.greeting(ctx)
	if err != nil {
		return greeting{}, nil, err
	}
	g, err := parseGreeting(line, p.dir.Path)
	if err != nil {
		return greeting{}, nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(g.certificate)
	return g, &tls.Config{
		Certificates: []tls.Certificate{p.identity}, RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS13,
	}, nil
}

// dial connects as the host does.
func (p *process) dial(ctx context.Context) (*grpc.ClientConn, error) {
	g, config, err := p.connection(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := g.client(credentials.NewTLS(config),
		grpc.WithUnaryInterceptor(p.suite.transcript.unary),
		grpc.WithStreamInterceptor(p.suite.transcript.stream),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(1<<30)))
	if err != nil {
		return nil, err
	}
	p.connections = append(p.connections, conn)
	return conn, nil
}

// client makes a connection to the provider with these TLS credentials.
func (g greeting) client(c credentials.TransportCredentials, options ...grpc.DialOption) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///provider", append(options, grpc.WithTransportCredentials(c),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, g.network, g.address)
		}))...)
}

// serving starts a provider, and returns it once it has answered Describe.
func (s *suite) serving(ctx context.Context) (*process, *grpc.ClientConn, error) {
	p, err := s.start(ctx)
	if err != nil {
		return nil, nil, err
	}
	conn, err := p.dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	return p, conn, answers(ctx, conn)
}

// answers checks that the provider is alive: that it answers Describe.
func answers(ctx context.Context, conn *grpc.ClientConn) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if _, err := pb.NewProviderClient(conn).Describe(ctx, &pb.DescribeRequest{}); err != nil {
		return fmt.Errorf("describe: %w", err)
	}
	return nil
}

// settings returns the settings of the options, and the provider's own defaults for the
// others. missing is a required setting that has neither.
func (s *suite) settings() (settings map[string]string, missing string) {
	settings = make(map[string]string)
	for _, f := range s.description.GetFields() {
		value := cmp.Or(s.options.Settings.Get(f.GetKey()), f.GetDefault())
		if value != "" {
			settings[f.GetKey()] = value
		} else if f.GetRequired() && missing == "" {
			missing = f.GetKey()
		}
	}
	return settings, missing
}

// configured starts a provider, and returns it once it has accepted its settings.
func (s *suite) configured(ctx context.Context) (*process, *grpc.ClientConn, error) {
	settings, missing := s.settings()
	if missing != "" {
		return nil, nil, skipped(fmt.Sprintf("needs --setting %s=...", missing))
	}
	p, conn, err := s.serving(ctx)
	if err != nil {
		return nil, nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	_, err = pb.NewProviderClient(conn).Configure(bounded, &pb.ConfigureRequest{Settings: settings})
	if reasonOf(err) == "CONFIG" {
		return nil, nil, skipped("its settings are incomplete: " + status.Convert(err).Message())
	}
	if err != nil {
		return nil, nil, fmt.Errorf("configure: %w", err)
	}
	return p, conn, nil
}

// broken reports whether err comes from the connection, and not from the provider.
func broken(err error) bool { return status.Code(err) == codes.Unavailable && infoOf(err) == nil }
