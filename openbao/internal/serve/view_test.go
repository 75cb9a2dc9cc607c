package serve

import (
	"testing"
	"time"

	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
)

// counting counts the calls to the server.
type counting struct {
	logical.StaticSystemView
	asked int
}

func (c *counting) ReplicationState() consts.ReplicationState {
	c.asked++
	return c.StaticSystemView.ReplicationState()
}

func (c *counting) LocalMount() bool {
	c.asked++
	return c.StaticSystemView.LocalMount()
}

func TestRemember(t *testing.T) {
	server := &counting{StaticSystemView: logical.StaticSystemView{MaxLeaseTTLVal: time.Hour, DefaultLeaseTTLVal: time.Minute, LocalMountVal: true}}
	now := time.Now()
	view := Remember(server).(*remembered)
	view.now = func() time.Time { return now }
	for range 3 {
		if view.MaxLeaseTTL() != time.Hour || view.DefaultLeaseTTL() != time.Minute || !view.LocalMount() || view.ReplicationState() != 0 {
			t.Fatalf("Remember = %+v", view.seen)
		}
	}
	if server.asked != 2 {
		t.Errorf("the server was asked %d times", server.asked)
	}
	server.ReplicationStateVal, server.MaxLeaseTTLVal = consts.ReplicationPerformanceStandby, time.Minute
	now = now.Add(believed)
	if !view.ReplicationState().HasState(consts.ReplicationPerformanceStandby) || view.MaxLeaseTTL() != time.Minute {
		t.Errorf("the view doesn't have the change: %+v", view.seen)
	}
}
