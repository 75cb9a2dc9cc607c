//go:build !linux

package leftover

import "github.com/zen-auth/zen/internal/private"

// Watcher is unused: this system has no means to find such processes, or ends them itself
// (Windows).
type Watcher struct{}

// Watch starts nothing.
func Watch(string, *private.Dir) *Watcher { return nil }

// Stop does nothing.
func (*Watcher) Stop() (wait func()) { return func() {} }

// Run returns false: this system has no watchers.
func Run([]string) (ok bool) { return false }
