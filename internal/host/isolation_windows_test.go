package host

import "os"

// processGroup stands for the Unix process group, which Windows doesn't have.
func processGroup() int { return os.Getpid() }
