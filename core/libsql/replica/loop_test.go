//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"errors"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

func TestStaleReadsWhereAllowed(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	db := open(t, o)
	exec(t, db, "CREATE TABLE t (a INTEGER)")
	must(t, db.Close())
	o.AllowStale = true
	told := make(chan libsql.Synced, 100)
	o.SyncInterval, o.OnSync = 100*time.Millisecond, func(s libsql.Synced) { told <- s }
	db = open(t, o)
	exec(t, db, "INSERT INTO t VALUES (1)")
	for hang := time.After(time.Minute); ; {
		select {
		case s := <-told:
			if s.Err != nil || s.Next.IsZero() || s.Progress.Frame == 0 {
				t.Fatalf("OnSync(%+v), want a sync without an error", s)
			}
			if !s.Changed {
				continue
			}
		case <-hang:
			t.Fatal("no sync brought the row")
		}
		break
	}
	sees(t, db, "SELECT count(*) FROM t", 1)
}

// The loop backs off after failures, reports them, and recovers.
func TestSyncLoopAfterFailures(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	src := newSource(t, stack)
	o := options(t, stack, src)
	told := make(chan libsql.Synced, 100)
	o.SyncInterval, o.OnSync = 100*time.Millisecond, func(s libsql.Synced) { told <- s }
	db := open(t, o)
	src.fail(provider.ErrUnavailable)
	for s := range told {
		if s.Failures == 2 {
			if !errors.Is(s.Err, provider.ErrUnavailable) || s.Next.IsZero() {
				t.Errorf("OnSync(%+v), want ErrUnavailable and a next sync", s)
			}
			break
		}
	}
	src.fail(nil)
	for s := range told {
		if s.Err == nil {
			if s.Failures != 0 {
				t.Errorf("OnSync(%+v) after the recovery, want no failures", s)
			}
			break
		}
	}
	must(t, db.Close())
	for len(told) > 0 {
		<-told
	}
	select {
	case s := <-told:
		t.Errorf("OnSync was called after Close: %+v", s)
	default:
	}
}
