package plugin

import "os"

// watchParent ends this process when its parent does. The goroutine lives as long
// as the process.
func watchParent() {
	parent, err := os.FindProcess(os.Getppid())
	if err != nil {
		os.Exit(1) // it is gone already
	}
	go func() {
		_, _ = parent.Wait()
		os.Exit(1)
	}()
}
