//go:build !linux

package leftover

import "github.com/zen-auth/zen/internal/private"

// Watcher does nothing here: it could end nothing, or the system does (on Windows).
type Watcher struct{}

// Watch starts nothing.
func Watch(string, *private.Dir) *Watcher { return nil }

// Stop has nothing to stop.
func (*Watcher) Stop() (wait func()) { return func() {} }

// Run is false: there are no watchers.
func Run([]string) (ok bool) { return false }
