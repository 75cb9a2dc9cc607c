package plugin

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"os"
	"strings"
	"time"
)

// serverIdentity makes the provider's half of go-plugin's AutoMTLS: a certificate for
// this one start, for a server that answers the holder of hostPEM alone.
//
// As for the other half (see clientIdentity), go-plugin itself would take P-521, whose
// key, signatures and handshake are a fifth of the time to the first answer.
func serverIdentity(hostPEM string, now time.Time) (*tls.Config, error) {
	hosts := x509.NewCertPool()
	if !hosts.AppendCertsFromPEM([]byte(hostPEM)) {
		return nil, errors.New("PLUGIN_CLIENT_CERT is no certificate")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"localhost"},
		// As in clientIdentity.
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    hosts,
		MinVersion:   tls.VersionTLS13,
	}, nil
}

// tellCertificate puts the certificate into the line with which go-plugin greets, which
// is the first on standard output: go-plugin tells no certificate but its own.
func tellCertificate(config *tls.Config) error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	real := os.Stdout
	os.Stdout = write
	go func() { // as long as the process
		lines := bufio.NewReader(read)
		line, err := lines.ReadString('\n')
		if parts := strings.Split(strings.TrimSuffix(line, "\n"), "|"); err == nil && len(parts) > 5 {
			parts[5] = base64.RawStdEncoding.EncodeToString(config.Certificates[0].Certificate[0])
			line = strings.Join(parts, "|") + "\n"
		}
		_, _ = real.WriteString(line)
		_, _ = io.Copy(real, lines)
	}()
	return nil
}
