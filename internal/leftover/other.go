//go:build !linux

package leftover

import "github.com/zen-auth/zen/internal/private"

// Mark has no means here.
func Mark(int, string) {}

// End has no means here: what a signal to the provider's group reaches is all that is
// ended.
func End(string) {}

// Watcher is none: it could end nothing.
type Watcher struct{}

// Watch starts nothing.
func Watch(string, *private.Dir) *Watcher { return nil }

// Stop has nothing to stop.
func (*Watcher) Stop() (wait func()) { return func() {} }

// Run is false: there are no watchers.
func Run([]string) (ok bool) { return false }
