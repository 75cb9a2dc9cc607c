package ci

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// workloadAPI is the part of the SPIFFE Workload API that issues JWT-SVIDs (SPIFFE
// Workload API, section 6).
type workloadAPI struct {
	workload.UnimplementedSpiffeWorkloadAPIServer
	*Service
}

// ServeSPIFFE answers as a SPIFFE agent does on a socket, until ctx ends; then it closes
// done.
func (s *Service) ServeSPIFFE(ctx context.Context, socket string) (done <-chan struct{}, err error) {
	if err := os.MkdirAll(filepath.Dir(socket), 0o700); err != nil {
		return nil, fmt.Errorf("serve the SPIFFE Workload API: %w", err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("serve the SPIFFE Workload API: %w", err)
	}
	server := grpc.NewServer()
	workload.RegisterSpiffeWorkloadAPIServer(server, &workloadAPI{Service: s})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		stop := context.AfterFunc(ctx, server.Stop)
		defer stop()
		_ = server.Serve(listener) // it ends when it is stopped
	}()
	return ended, nil
}

// admit refuses requests without the API's security header, which protects programs from
// being tricked into making one (SPIFFE Workload Endpoint, section 6.2).
func (a *workloadAPI) admit(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	switch header := md.Get("workload.spiffe.io"); {
	case len(header) != 1 || header[0] != "true":
		return status.Error(codes.InvalidArgument, "security header missing from request")
	case a.fault(FaultForbidden):
		return status.Error(codes.PermissionDenied, "no identity issued")
	case a.fault(FaultUnavailable):
		return status.Error(codes.Unavailable, "the agent has no server")
	}
	return nil
}

func (a *workloadAPI) FetchJWTSVID(ctx context.Context, r *workload.JWTSVIDRequest) (*workload.JWTSVIDResponse, error) {
	if err := a.admit(ctx); err != nil {
		return nil, err
	}
	if len(r.GetAudience()) != 1 {
		return nil, status.Error(codes.InvalidArgument, "want one audience")
	}
	token, err := a.Token("spiffe", r.GetAudience()[0])
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &workload.JWTSVIDResponse{Svids: []*workload.JWTSVID{{SpiffeId: a.opts.Job.spiffeID(), Svid: token}}}, nil
}

// spiffeID returns the job's name in its trust domain.
func (j Job) spiffeID() string {
	return "spiffe://" + j.Owner + ".example.test/ns/" + j.Namespace + "/sa/" + j.ServiceAccount
}
