package host

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/zen-auth/zen/internal/handshake"
)

// maxLine bounds the handshake line, which is about 1 KiB.
const maxLine = 16 << 10

// checkGreeting checks a provider's first line before go-plugin does, whose errors
// are text that quotes the line:
//
//	CORE-VERSION|PROTOCOL-VERSION|NETWORK|ADDRESS|grpc|CERTIFICATE|...
func checkGreeting(name, line string, redact func(string) string) error {
	parts := strings.Split(strings.TrimSpace(line), "|")
	core, coreErr := strconv.Atoi(parts[0])
	if len(parts) < 4 || coreErr != nil {
		return &HandshakeError{Name: name, Reason: "it printed " + snippet(line, redact)}
	}
	if core != goplugin.CoreProtocolVersion {
		return &HandshakeError{Name: name, Reason: fmt.Sprintf("its handshake has version %d, not %d", core, goplugin.CoreProtocolVersion)}
	}
	version, err := strconv.Atoi(parts[1])
	if err != nil {
		return &HandshakeError{Name: name, Reason: "its protocol version is " + snippet(parts[1], redact)}
	}
	if version != handshake.ProtocolVersion {
		return &VersionError{Name: name, Theirs: version, Ours: handshake.ProtocolVersion}
	}
	if len(parts) < 5 || parts[4] != string(goplugin.ProtocolGRPC) {
		return &HandshakeError{Name: name, Reason: "it does not speak gRPC"}
	}
	// A process that answers elsewhere is not one of this host's. (On Windows go-plugin listens
	// on TCP.)
	if host, _, err := net.SplitHostPort(parts[3]); parts[2] == "tcp" && (err != nil || !net.ParseIP(host).IsLoopback()) {
		return &HandshakeError{Name: name, Reason: "its address " + snippet(parts[3], redact) + " is not on this machine"}
	}
	// go-plugin takes a shorter one for something else, and dials without TLS.
	if len(parts) < 6 || len(parts[5]) <= 50 {
		return &HandshakeError{Name: name, Reason: "it does not answer PLUGIN_CLIENT_CERT with a certificate of its own"}
	}
	return nil
}

// snippet quotes a little of what a process printed.
func snippet(s string, redact func(string) string) string {
	const most = 60
	if s = redact(s); len(s) > most {
		s = s[:most] + "..."
	}
	return strconv.Quote(s)
}
