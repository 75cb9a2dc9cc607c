//go:build unix && !linux

package plugin

import (
	"os"
	"time"
)

// watchParent ends this process when its parent does, which shows in that it gets
// another. The goroutine lives as long as the process.
func watchParent() {
	parent := os.Getppid()
	go func() {
		for range time.Tick(500 * time.Millisecond) {
			if os.Getppid() != parent {
				os.Exit(1)
			}
		}
	}()
}
