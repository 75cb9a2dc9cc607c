package host

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path"
	"runtime"
	"strings"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/zen-auth/zen/core/plugin"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/wire"
)

// greet prints a valid handshake line, and returns the listener and this side's TLS
// configuration.
func greet() (net.Listener, *tls.Config) {
	if runtime.GOOS == "windows" {
		return greetOn("tcp", "127.0.0.1:0")
	}
	return greetOn("unix", os.Getenv(goplugin.EnvUnixSocketDir)+"/s")
}

func greetOn(network, address string) (net.Listener, *tls.Config) {
	listener, err := net.Listen(network, address)
	if err != nil {
		panic(err)
	}
	identity, err := handshake.ServerIdentity(os.Getenv("PLUGIN_CLIENT_CERT"), time.Now())
	if err != nil {
		panic(err)
	}
	fmt.Printf("1|1|%s|%s|grpc|%s\n", network, listener.Addr(), base64.RawStdEncoding.EncodeToString(identity.Certificates[0].Certificate[0]))
	return listener, identity
}

// serveHuge is a good provider except for Verify, whose answer announces 2 GiB and goes on
// for as long as it is read.
func serveHuge() {
	listener, identity := greet()
	good := wire.NewServer(plugin.Logger())
	wire.Register(good, &example{name: "huge"})
	server := &http.Server{
		TLSConfig: identity,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if path.Base(r.URL.Path) != "Verify" {
				good.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/grpc")
			_, err := w.Write([]byte{0, 0x7f, 0xff, 0xff, 0xff}) // not compressed, 1<<31 - 1 bytes
			for chunk := make([]byte, 1<<20); err == nil; {
				_, err = w.Write(chunk)
			}
		}),
	}
	panic(server.ServeTLS(listener, "", ""))
}

// go-plugin would accept this message, whose length is exactly its limit. The host refuses it
// by the announced length, and the process stays usable.
func TestAMessageOf2GiBIsRefusedByItsLength(t *testing.T) {
	m := manage(t, Options{}, "huge")
	client := open(t, m, "huge")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := verify(t, client, "anything")
	runtime.ReadMemStats(&after)
	if !errors.Is(err, provider.ErrUnavailable) || !strings.Contains(err.Error(), "provider huge in Verify: ") || !strings.Contains(err.Error(), "2147483647") {
		t.Errorf("Verify: %v, want ErrUnavailable with the announced length", err)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 32*handshake.MaxMessage {
		t.Errorf("the host allocated %d MiB", allocated>>20)
	}
	if _, err := client.Refresh(t.Context(), provider.Credential{}); !errors.Is(err, provider.ErrRejected) {
		t.Errorf("the next call: %v", err)
	}
	if err := m.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
}
