package conformance

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/wire"
)

// bare is a provider without go-plugin and without the SDK, like one written in another
// language. Its fields leave out parts of it.
type bare struct {
	name         string
	open         bool // accepts any client certificate
	noHealth     bool
	noController bool
	greedy       bool   // accepts messages of any size
	without      string // a service that it describes but doesn't serve
	unary        grpc.UnaryServerInterceptor
	stream       grpc.StreamServerInterceptor
}

func (b bare) serve() {
	if os.Getenv(handshake.CookieKey) != handshake.CookieValue || os.Getenv("PLUGIN_CLIENT_CERT") == "" {
		syscall.Exit(2)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check1(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	check1(err)
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM([]byte(os.Getenv("PLUGIN_CLIENT_CERT")))
	config := &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: clients,
	}
	if b.open {
		config.ClientAuth = tls.NoClientCert
	}
	options := []grpc.ServerOption{grpc.Creds(credentials.NewTLS(config))}
	if b.unary != nil {
		options = append(options, grpc.UnaryInterceptor(b.unary))
	}
	if b.stream != nil {
		options = append(options, grpc.StreamInterceptor(b.stream))
	}
	if b.greedy {
		options = append(options, grpc.MaxRecvMsgSize(1<<30))
	}
	server := grpc.NewServer(options...)
	wire.Register(selective{server, b.without}, &example{name: b.name})
	if !b.noHealth {
		h := health.NewServer()
		h.SetServingStatus("plugin", healthpb.HealthCheckResponse_SERVING)
		healthpb.RegisterHealthServer(server, h)
	}
	if !b.noController {
		server.RegisterService(&controller, server)
	}
	network, address := "unix", filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "s")
	if runtime.GOOS == "windows" {
		network, address = "tcp", "127.0.0.1:0"
	}
	listener, err := net.Listen(network, address)
	check1(err)
	fmt.Printf("1|1|%s|%s|grpc|%s\n", network, listener.Addr(), base64.RawStdEncoding.EncodeToString(der))
	_ = server.Serve(listener)
}

// selective registers all services except one.
type selective struct {
	*grpc.Server
	without string
}

func (s selective) RegisterService(desc *grpc.ServiceDesc, impl any) {
	if desc.ServiceName != s.without {
		s.Server.RegisterService(desc, impl)
	}
}

// controller is go-plugin's plugin.GRPCController.
var controller = grpc.ServiceDesc{
	ServiceName: "plugin.GRPCController",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Shutdown", Handler: func(
		server any, _ context.Context, _ func(any) error, _ grpc.UnaryServerInterceptor,
	) (any, error) {
		go server.(*grpc.Server).Stop()
		return &emptypb.Empty{}, nil
	}}},
}

func check1(err error) {
	if err != nil {
		panic(err)
	}
}

// jwt returns a token with a meaningless signature and no database.
func jwt(exp time.Time, access provider.Access) string {
	return unsigned(map[string]any{"exp": exp.Unix(), "a": access})
}

func unsigned(claims map[string]any) string {
	encode := func(v any) string {
		data, err := json.Marshal(v)
		check1(err)
		return base64.RawURLEncoding.EncodeToString(data)
	}
	return encode(map[string]string{"alg": "EdDSA"}) + "." +
		encode(claims) + ".c2lnbmF0dXJl"
}
