package early

import (
	"io"
	"time"
)

// Child is a process that makes a renewal: there is none, as no program becomes another one
// here.
type Child struct{}

// Start starts nothing.
func Start(string, string, []string, []byte) *Child { return nil }

// Answered reports that there is no answer.
func (*Child) Answered(time.Duration) bool { return false }

// End has nothing to wait for.
func (*Child) End() {}

// HandOver has nothing to leave.
func (*Child) HandOver() {}

// Take has nothing to take.
func Take() {}

// Answer reports that there is none.
func Answer(string, []string, []byte) (io.Reader, func() error, bool) { return nil, nil, false }

// End has nothing to wait for.
func End() {}
