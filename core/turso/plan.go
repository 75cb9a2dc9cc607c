package turso

import (
	"context"
	"net/http"
)

// Usage is what an organisation used in the current period.
type Usage struct {
	RowsRead     uint64 `json:"rows_read"`
	RowsWritten  uint64 `json:"rows_written"`
	StorageBytes uint64 `json:"storage_bytes"`
	BytesSynced  uint64 `json:"bytes_synced"`
	Databases    uint64 `json:"databases"`
	Groups       uint64 `json:"groups"`
}

// Subscription is an organisation's plan.
type Subscription struct {
	Plan     string
	Timeline string
	Overages bool
}

// Usage returns what an organisation used.
func (c *Client) Usage(ctx context.Context, org string) (Usage, error) {
	const op = "get the usage"
	prefix, err := orgPath(op, org)
	if err != nil {
		return Usage{}, err
	}
	var answer struct{ Organization struct{ Usage Usage } }
	err = c.do(ctx, call{op: op, method: http.MethodGet, path: prefix + "/usage"}, &answer)
	return answer.Organization.Usage, err
}

// Subscription returns an organisation's plan.
func (c *Client) Subscription(ctx context.Context, org string) (Subscription, error) {
	const op = "get the subscription"
	prefix, err := orgPath(op, org)
	if err != nil {
		return Subscription{}, err
	}
	var answer struct{ Subscription Subscription }
	err = c.do(ctx, call{op: op, method: http.MethodGet, path: prefix + "/subscription"}, &answer)
	return answer.Subscription, err
}
