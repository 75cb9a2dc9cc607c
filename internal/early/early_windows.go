package early

import "io"

// Start starts nothing: no program becomes another one here.
func Start(string, string, []string) {}

// Take has nothing to take.
func Take() {}

// Ask reports that no child waits.
func Ask(string, []string, []byte) (io.Reader, func() error, bool) { return nil, nil, false }

// End has nothing to end.
func End() {}
