package turso

import (
	"context"
	"net/http"
)

// Usage is the consumption of an organization, or of one of its databases, in the current period. Of
// a database, the last two are zero.
type Usage struct {
	RowsRead     uint64 `json:"rows_read"`
	RowsWritten  uint64 `json:"rows_written"`
	StorageBytes uint64 `json:"storage_bytes"`
	BytesSynced  uint64 `json:"bytes_synced"`
	Databases    uint64 `json:"databases"`
	Groups       uint64 `json:"groups"`
}

// Subscription is an organization's plan.
type Subscription struct {
	Plan     string
	Timeline string
	Overages bool
}

// Quotas are a plan's limits for a period. Zero means no limit.
type Quotas struct {
	RowsRead    uint64
	RowsWritten uint64
	Storage     uint64 // bytes
	BytesSynced uint64
	Databases   uint64
	Groups      uint64
}

// Plan is one of those that Turso sells.
type Plan struct {
	Name   string
	Quotas Quotas
}

// Usage returns what an organization used.
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

// Subscription returns an organization's plan.
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

// Plans lists the plans that there are.
func (c *Client) Plans(ctx context.Context) ([]Plan, error) {
	var answer struct{ Plans []Plan }
	err := c.do(ctx, call{op: "list plans", method: http.MethodGet, path: "/v1/plans"}, &answer)
	return answer.Plans, err
}

// Quotas returns what the subscription's plan has, all zero if it isn't among the
// plans. One with overages has a name of its own: "developer_overages".
func (s Subscription) Quotas(plans []Plan) Quotas {
	for _, p := range plans {
		if p.Name == s.Plan || p.Name+"_overages" == s.Plan {
			return p.Quotas
		}
	}
	return Quotas{}
}
