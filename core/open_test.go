package core

import "testing"

func TestIsName(t *testing.T) {
	for text, want := range map[string]bool{
		"app": true, "app-2": true, "": false, "App": false, "app.db": false, "libsql://app": false,
		"./app": false, ":memory:": false, "eyJhbGciOiJFZERTQSJ9": false,
	} {
		if isName(text) != want {
			t.Errorf("%q is a name: %v", text, !want)
		}
	}
}
