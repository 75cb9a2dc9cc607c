package config

import (
	"strings"

	"github.com/zen-auth/zen/internal/text"
)

// suggestion returns the hint for an unknown key or name.
func suggestion(name string, known []string) string {
	if best := text.Nearest(name, known); best != "" {
		return "did you mean " + best + "? known: " + strings.Join(known, ", ")
	}
	if len(known) == 0 {
		return ""
	}
	return "known: " + strings.Join(known, ", ")
}
