package wire

import (
	"context"
	"fmt"

	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// maxFindings bounds what one check reports: more than a person reads.
const maxFindings = 1000

// Check implements provider.Provider.
func (c *Client) Check(ctx context.Context, req provider.CheckRequest, report func(provider.Finding) error) (*provider.Credential, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.provider.Check(ctx, &pb.CheckRequest{
		Credential: optional(req.Credential, credentialToWire), Purpose: purposeToWire(req.Purpose),
	})
	if err != nil {
		return nil, c.fail(err)
	}
	left := maxFindings
	return receive(c, stream, func(r *pb.CheckResponse) error {
		if left--; left < 0 {
			return fmt.Errorf("the provider reported more than %d findings", maxFindings)
		}
		return report(findingFromWire(r.GetFinding(), c.text))
	})
}

// Fix implements provider.Fixer.
func (c *Client) Fix(ctx context.Context, req provider.FixRequest, report func(provider.Progress) error) (*provider.Credential, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.provider.Fix(ctx, fixRequestToWire(req))
	if err != nil {
		return nil, c.fail(err)
	}
	return receive(c, stream, func(r *pb.FixResponse) error {
		progress := provider.Progress{Text: c.text(r.GetText()), Done: r.GetDone()}
		for key, value := range r.GetSettings() {
			if progress.Settings == nil {
				progress.Settings = make(map[string]string)
			}
			progress.Settings[receivedText(key)] = receivedText(value)
		}
		return report(progress)
	})
}
