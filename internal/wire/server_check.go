package wire

import (
	"errors"
	"fmt"

	"google.golang.org/grpc"

	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

func (s *providerServer) Check(r *pb.CheckRequest, stream grpc.ServerStreamingServer[pb.CheckResponse]) error {
	purpose, err := purposeFromWire(r.GetPurpose())
	if err != nil {
		return StatusError(err)
	}
	req := provider.CheckRequest{Credential: present(r.GetCredential(), credentialFromWire), Purpose: purpose}
	credential, err := s.p.Check(stream.Context(), req, func(f provider.Finding) error {
		return stream.Send(&pb.CheckResponse{Finding: findingToWire(f)})
	})
	var last pb.CheckResponse
	if last.Credential, last.Failure, err = beside(credential, err); last.Credential != nil {
		err = stream.Send(&last)
	}
	return err
}

func (s *providerServer) Fix(r *pb.FixRequest, stream grpc.ServerStreamingServer[pb.FixResponse]) error {
	fixer, ok := s.p.(provider.Fixer)
	if !ok {
		return StatusError(fmt.Errorf("this provider repairs nothing: %w", errors.ErrUnsupported))
	}
	req, err := fixRequestFromWire(r)
	if err != nil {
		return StatusError(err)
	}
	credential, err := fixer.Fix(stream.Context(), req, func(p provider.Progress) error {
		return stream.Send(&pb.FixResponse{Text: sentText(p.Text), Done: p.Done, Settings: p.Settings})
	})
	var last pb.FixResponse
	if last.Credential, last.Failure, err = beside(credential, err); last.Credential != nil {
		err = stream.Send(&last)
	}
	return err
}
