package gateway

import (
	"net/http"
	"strings"
)

// noSync is said of a server, or to a client, that knows only the older protocol of
// embedded replicas, which is gRPC.
const noSync = "this server has no sync V2; use remote"

// isGRPC recognizes replicas of the older protocol, which speak gRPC or gRPC-Web. Clients
// turn to it when /info isn't answered as they hope.
func isGRPC(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc")
}

// refuseGRPC answers with an error alone, in the headers: UNIMPLEMENTED, in the
// encoding that was asked in
// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
func (x *exchange) refuseGRPC(r *http.Request) {
	x.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	x.Header().Set("Grpc-Status", "12")
	x.Header().Set("Grpc-Message", noSync) // which has nothing to be percent-encoded
	x.WriteHeader(http.StatusOK)
}
