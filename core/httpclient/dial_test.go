package httpclient

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestLocalhostIsThisMachine uses a resolver that always fails: names of this machine must
// never be looked up in DNS, since a foreign host would receive tokens in clear text.
func TestLocalhostIsThisMachine(t *testing.T) {
	before := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = before })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("the network was asked")
	}}
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		socket, err := net.Listen("tcp", at)
		if err != nil {
			t.Logf("NOT TESTED: this machine has no %s", at)
			continue
		}
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }))
		server.Listener.Close()
		server.Listener = socket
		server.Start()
		t.Cleanup(server.Close)
		_, port, err := net.SplitHostPort(socket.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		transport := New()
		t.Cleanup(transport.CloseIdleConnections)
		for _, host := range []string{"localhost", "LocalHost", "localhost.", "app.localhost", "app.localhost.", "a.b.LOCALHOST"} {
			resp, err := Over(transport).Get("http://" + net.JoinHostPort(host, port))
			if err != nil {
				t.Errorf("%s at %s: %v", host, at, err)
				continue
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || string(body) != "here" {
				t.Errorf("%s at %s: %q %v", host, at, body, err)
			}
		}
	}
}
