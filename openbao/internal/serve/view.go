package serve

import (
	"sync"
	"time"

	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
)

// believed is how long the server's answer about a mount is cached.
const believed = 5 * time.Second

// Remember returns a view that asks the server only every few seconds what a mount's
// limits are, whether it is local, and whether the node is a standby. Without it the
// framework asks the latter two on each request: two calls from the plugin back to the
// server, each as expensive as the request itself. A node that becomes active, or stops
// being active, creates its backends again, each with its own view.
func Remember(view logical.SystemView) logical.SystemView {
	return &remembered{SystemView: view, now: time.Now}
}

type remembered struct {
	logical.SystemView
	now func() time.Time

	mu    sync.Mutex // guards what is below
	until time.Time
	seen  mount
}

// mount is the server's description of a mount.
type mount struct {
	standard, most time.Duration
	state          consts.ReplicationState
	local          bool
}

func (r *remembered) mount() mount {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.now(); !now.Before(r.until) {
		r.seen = mount{
			standard: r.SystemView.DefaultLeaseTTL(), most: r.SystemView.MaxLeaseTTL(),
			state: r.SystemView.ReplicationState(), local: r.SystemView.LocalMount(),
		}
		r.until = now.Add(believed)
	}
	return r.seen
}

// DefaultLeaseTTL implements logical.SystemView.
func (r *remembered) DefaultLeaseTTL() time.Duration { return r.mount().standard }

// MaxLeaseTTL implements logical.SystemView.
func (r *remembered) MaxLeaseTTL() time.Duration { return r.mount().most }

// ReplicationState implements logical.SystemView.
func (r *remembered) ReplicationState() consts.ReplicationState { return r.mount().state }

// LocalMount implements logical.SystemView.
func (r *remembered) LocalMount() bool { return r.mount().local }
