package wire

import (
	"strings"

	"github.com/zen-auth/zen/internal/text"
)

// Text for people is bounded twice: where it is sent, so that it fits a gRPC
// trailer, and where it is received, after redaction. The first bound is larger,
// so that a secret that it cuts in two lies beyond the second.
const (
	maxSentText     = 8 << 10
	maxReceivedText = 1 << 10
	// maxBlock bounds text that has lines: a script, a page.
	maxBlock = 64 << 10
)

// sentText makes s valid UTF-8, which proto3 demands, and bounds it.
func sentText(s string) string { return text.Cut(strings.ToValidUTF8(s, "\uFFFD"), maxSentText) }

// receivedText makes foreign text fit for a terminal.
func receivedText(s string) string { return text.Line(s, maxReceivedText) }

// block is receivedText for text that has lines, in both directions.
func block(s string) string { return text.Cut(text.Lines(strings.ToValidUTF8(s, "\uFFFD")), maxBlock) }
