package host

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/zen-auth/zen/core/plugin"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/leftover"
	"github.com/zen-auth/zen/internal/testwait"
	"github.com/zen-auth/zen/internal/wire"
)

// Another process of the same user may find the socket while zen connects, but it gets no
// answer.
func TestPitfall06NoOtherClientIsAnswered(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no socket file")
	}
	tmp, err := os.MkdirTemp("", "z") // short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(tmp) })
	t.Setenv("TMPDIR", tmp)
	m := manage(t, Options{}, "stuck")
	m.limits.start = time.Hour // it never answers
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { _, err := m.Open(ctx, "stuck", nil); ended <- err }()
	var sockets []string
	testwait.Until(t, "a socket", func() bool {
		sockets, _ = filepath.Glob(filepath.Join(tmp, leftover.Prefix+"*", "plugin[0-9]*"))
		return len(sockets) == 1
	})
	strangersAreRefused(t, "unix://"+sockets[0])
	cancel()
	<-ended
}

// strangersAreRefused connects to target with credentials that zen didn't issue, and expects
// no answer.
func strangersAreRefused(t *testing.T, target string) {
	t.Helper()
	stranger, _, err := handshake.ClientIdentity(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	stranger.InsecureSkipVerify = true
	for name, c := range map[string]credentials.TransportCredentials{
		"no TLS": insecure.NewCredentials(), "another certificate": credentials.NewTLS(stranger),
		"no certificate": credentials.NewTLS(&tls.Config{InsecureSkipVerify: true}),
	} {
		connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(c))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // against a hang
		// Configure rather than Describe, which hangs in this provider.
		_, err = wire.NewClient(connection, nil).Configure(ctx, nil)
		cancel()
		_ = connection.Close()
		if err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want a refusal", name, err)
		}
	}
}

// Setting the clock back between start and connection does no harm, and the keys on both
// sides are of a type that is fast to generate.
func TestPitfall07CertificatesOutliveAClockSetBack(t *testing.T) {
	now := time.Now()
	host, hostPEM, err := handshake.ClientIdentity(now)
	if err != nil {
		t.Fatal(err)
	}
	server, err := handshake.ServerIdentity(string(hostPEM), now)
	if err != nil {
		t.Fatal(err)
	}
	for side, identity := range map[string]*tls.Config{"host": host, "provider": server} {
		certificate, err := x509.ParseCertificate(identity.Certificates[0].Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		key, ok := certificate.PublicKey.(*ecdsa.PublicKey)
		if certificate.NotBefore.After(now.Add(-30*time.Minute)) || !ok || key.Curve != elliptic.P256() {
			t.Errorf("%s: not before %v, %T", side, certificate.NotBefore, certificate.PublicKey)
		}
	}
	if _, err := handshake.ServerIdentity("no certificate", now); err == nil {
		t.Error("ServerIdentity accepted a missing client certificate")
	}
}

// serveTCP is a good provider on a TCP port, which every program on the machine can connect
// to. It writes its address to the file "address" in its home directory.
func serveTCP() {
	listener, identity := greetOn("tcp", "127.0.0.1:0")
	if err := os.WriteFile(filepath.Join(os.Getenv("HOME"), "address"), []byte(listener.Addr().String()), 0o600); err != nil {
		panic(err)
	}
	server := wire.NewServer(plugin.Logger(), grpc.Creds(credentials.NewTLS(identity)))
	wire.Register(server, &example{name: "tcp"})
	panic(server.Serve(listener))
}

// A port has no file mode and no private directory: the certificates are its only protection.
func TestPitfall22APortAnswersThisHostAlone(t *testing.T) {
	home := t.TempDir()
	client := open(t, manage(t, Options{Environ: []string{"HOME=" + home}}, "tcp"), "tcp")
	ask(t, client, "pid")
	address, err := os.ReadFile(filepath.Join(home, "address"))
	if err != nil {
		t.Fatal(err)
	}
	strangersAreRefused(t, "passthrough:///"+string(address))
}
