package plugin

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/iotest"
)

// On Windows the host says between which ports a provider listens.
func TestListenBetween(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := fmt.Sprint(taken.Addr().(*net.TCPAddr).Port)
	for _, ports := range [][2]string{{"", ""}, {port, "65535"}} {
		listener, err := listenBetween(ports[0], ports[1])
		if err != nil {
			t.Errorf("%q: %v", ports, err)
			continue
		}
		if addr := listener.Addr().(*net.TCPAddr); !addr.IP.IsLoopback() || fmt.Sprint(addr.Port) == port {
			t.Errorf("%q: it listens on %s", ports, addr)
		}
		_ = listener.Close()
	}
	for ports, want := range map[[2]string]string{
		{port, port}:   "is free",
		{"2", "1"}:     "PLUGIN_MAX_PORT",
		{"1", "65536"}: "PLUGIN_MAX_PORT",
		{"x", "1"}:     "PLUGIN_MIN_PORT",
		{"-1", "1"}:    "PLUGIN_MIN_PORT",
	} {
		if listener, err := listenBetween(ports[0], ports[1]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v", ports, listener, err)
		}
	}
}

// What is read comes through, also beside an end.
func TestEndlessReadsWhatIsThere(t *testing.T) {
	b := make([]byte, 8)
	if n, err := (endless{iotest.DataErrReader(strings.NewReader("last"))}).Read(b); n != 4 || err != nil || string(b[:n]) != "last" {
		t.Errorf("%d, %v", n, err)
	}
}
