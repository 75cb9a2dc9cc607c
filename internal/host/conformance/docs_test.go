package conformance

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/zen-auth/zen/internal/handshake"
)

// TestThePagesSayWhatIsTested compares the pages for authors with the checks.
func TestThePagesSayWhatIsTested(t *testing.T) {
	read := func(name string) string {
		data, err := os.ReadFile("../../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	page := read("providers.md")
	for _, c := range checks {
		if row := fmt.Sprintf("| `%s` | %s |", c.name, c.rule); !strings.Contains(page, row) {
			t.Errorf("docs/providers.md lacks %q", row)
		}
	}
	protocol := read("provider-protocol.md")
	for _, want := range []string{handshake.CookieKey, handshake.CookieValue} {
		if !strings.Contains(protocol, want) {
			t.Errorf("docs/provider-protocol.md lacks %q", want)
		}
	}
	for reason, code := range reasons {
		row := fmt.Sprintf("(%d) |", code)
		at := strings.Index(protocol, "| `"+reason+"` |")
		if at < 0 || !strings.Contains(strings.SplitN(protocol[at:], "\n", 2)[0], row) {
			t.Errorf("docs/provider-protocol.md lacks %s with its code %d", reason, code)
		}
	}
}
