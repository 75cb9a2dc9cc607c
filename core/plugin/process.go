package plugin

import (
	"cmp"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strconv"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
)

// serveProcess greets the host and serves p, until the host asks for the end. The services are
// go-plugin's; its Serve isn't called, which passes on no certificate but its own, and links
// net/rpc, for the sake of whose reflection the linker keeps every method of everything: a
// sixth of the bytes that zen hashes at each start.
func serveProcess(p provider.Provider, identity *tls.Config) error {
	listener, err := listen()
	if err != nil {
		return err
	}
	defer listener.Close() // its file goes with it
	stdout, stdoutWriter, err := os.Pipe()
	if err != nil {
		return err
	}
	stderr, stderrWriter, err := os.Pipe()
	if err != nil {
		return err
	}
	var server *grpc.Server
	services := &goplugin.GRPCServer{
		Plugins: map[string]goplugin.Plugin{"provider": served{provider: p}},
		Server: func(options []grpc.ServerOption) *grpc.Server {
			server = newServer(options)
			return server
		},
		TLS: identity, Stdout: endless{stdout}, Stderr: endless{stderr},
	}
	if err := services.Init(); err != nil {
		return err
	}
	certificate := base64.RawStdEncoding.EncodeToString(identity.Certificates[0].Certificate[0])
	greeting := fmt.Sprintf("%d|%d|%s|%s|%s|%s", goplugin.CoreProtocolVersion, handshake.ProtocolVersion,
		listener.Addr().Network(), listener.Addr(), goplugin.ProtocolGRPC, certificate)
	if os.Getenv("PLUGIN_MULTIPLEX_GRPC") != "" {
		greeting += "|false"
	}
	if _, err := fmt.Println(greeting); err != nil {
		return err
	}
	// What is printed from now on goes to the host by the service for that.
	os.Stdout, os.Stderr = stdoutWriter, stderrWriter
	signal.Notify(make(chan os.Signal, 1), os.Interrupt) // a Ctrl-C is the host's to act on
	return server.Serve(listener)
}

// listen listens where the host wants it.
func listen() (net.Listener, error) {
	if runtime.GOOS == "windows" {
		return listenBetween(os.Getenv("PLUGIN_MIN_PORT"), os.Getenv("PLUGIN_MAX_PORT"))
	}
	file, err := os.CreateTemp(os.Getenv(goplugin.EnvUnixSocketDir), "plugin")
	if err != nil {
		return nil, err
	}
	// The name is what is wanted.
	if err := file.Close(); err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, err
	}
	return net.Listen("unix", file.Name())
}

// listenBetween listens on the first free port from least to most, on this machine alone.
func listenBetween(least, most string) (net.Listener, error) {
	first, err := strconv.ParseUint(cmp.Or(least, "0"), 10, 16)
	if err != nil {
		return nil, fmt.Errorf("PLUGIN_MIN_PORT is %.20q", least)
	}
	last, err := strconv.ParseUint(cmp.Or(most, "0"), 10, 16)
	if err != nil || last < first {
		return nil, fmt.Errorf("PLUGIN_MAX_PORT is %.20q, after a PLUGIN_MIN_PORT of %d", most, first)
	}
	for port := first; port <= last; port++ {
		if listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return listener, nil
		}
	}
	return nil, fmt.Errorf("no port from %d to %d is free", first, last)
}

// endless is a reader that has no end, which go-plugin would log, and has no logger for
// here.
type endless struct{ io.Reader }

// Read implements io.Reader.
func (e endless) Read(b []byte) (int, error) {
	n, err := e.Reader.Read(b)
	if n == 0 && err != nil {
		select {} // as long as the process
	}
	return n, nil
}
