package host

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each test that the page of security rests on is there.
func TestThePageOfSecurityNamesTests(t *testing.T) {
	page, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, pattern := range []string{"*_test.go", "../private/*_test.go", "../cli/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(data)
		}
	}
	named := regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z][A-Za-z0-9]*`).FindAllString(string(page), -1)
	if len(named) < 25 {
		t.Errorf("it names %d tests", len(named))
	}
	for _, test := range named {
		if !strings.Contains(source.String(), "func "+test) { // or the beginning of one
			t.Errorf("there is no %s", test)
		}
	}
}
