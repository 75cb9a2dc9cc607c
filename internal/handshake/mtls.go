package handshake

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"time"
)

// Both halves of go-plugin's AutoMTLS, each with a certificate for one start that the
// other trusts alone. They are not left to go-plugin because that takes P-521, which
// Go has no assembly for: P-256 saves two fifths of the time to the first answer.

// ClientIdentity makes the host's half: its certificate, of which the provider is told
// (PLUGIN_CLIENT_CERT), and a configuration whose roots go-plugin sets to the
// certificate that the provider answers with.
func ClientIdentity(now time.Time) (config *tls.Config, certificate []byte, err error) {
	own, err := selfSigned(&x509.Certificate{
		// Roots that are told apart by name need a name.
		Subject:     pkix.Name{CommonName: "zen"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, now)
	if err != nil {
		return nil, nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{own},
		MinVersion:   tls.VersionTLS13,
		ServerName:   "localhost",
	}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Certificate[0]}), nil
}

// ServerIdentity makes the provider's half, which answers the holder of the host's
// certificate alone.
func ServerIdentity(hostPEM string, now time.Time) (*tls.Config, error) {
	host := x509.NewCertPool()
	if !host.AppendCertsFromPEM([]byte(hostPEM)) {
		return nil, errors.New("PLUGIN_CLIENT_CERT is no certificate")
	}
	own, err := selfSigned(&x509.Certificate{
		DNSNames:    []string{"localhost"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, now)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{own},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    host,
		MinVersion:   tls.VersionTLS13,
	}, nil
}

// selfSigned fills in what both certificates have.
func selfSigned(template *x509.Certificate, now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template.SerialNumber = big.NewInt(1)
	// A clock that is set back meanwhile does no harm.
	template.NotBefore = now.Add(-time.Hour)
	// gRPC may connect again as long as the process lives.
	template.NotAfter = now.AddDate(10, 0, 0)
	template.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign
	template.BasicConstraintsValid, template.IsCA = true, true
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
