package db

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestHistory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	h := newHistory(dir)
	if lines := h.load(); lines != nil {
		t.Errorf("the new history has lines %q", lines)
	}
	h.keep(false, "SELECT 1")
	h.keep(true, "SELECT 2")
	h.keep(false, "SELECT\n  3\x1b")
	h.keep(false, "ATTACH 'x' AS y")
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%q", newHistory(dir).load()); got != `["SELECT 1;" "SELECT" "  3;"]` {
		t.Error(got)
	}
	path := filepath.Join(dir, "shell_history")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("the history file has mode %v, %v", info.Mode(), err)
	}

	// A file that has grown too long is shortened when it is read.
	if err := os.WriteFile(path, []byte(strings.Repeat("SELECT 1;\n", 2*maxHistory)+"SELECT 2;\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	h = newHistory(dir)
	if lines := h.load(); len(lines) != maxHistory || lines[maxHistory-1] != "SELECT 2;" {
		t.Errorf("%d lines were read, want %d", len(lines), maxHistory)
	}
	if content, err := os.ReadFile(path); err != nil || strings.Count(string(content), "\n") != maxHistory {
		t.Errorf("%d lines are in the file, %v", strings.Count(string(content), "\n"), err)
	}
	if err := h.close(); err != nil {
		t.Error(err)
	}

	// If a directory is in the file's place, close reports it and the shell works without a
	// history.
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	h = newHistory(dir)
	h.load()
	h.keep(false, "SELECT 1")
	if err := h.close(); err == nil {
		t.Error("close succeeded with a directory as the history file")
	}
}

func TestMaySecret(t *testing.T) {
	for statement, want := range map[string]bool{
		"SELECT * FROM users WHERE id = 5":                           false,
		"CREATE TABLE notes (id INTEGER PRIMARY KEY, monkey TEXT)":   false,
		"INSERT INTO t VALUES (x'00ff', 1.5)":                        false,
		"attach 'file:other.db' AS other":                            true,
		"PRAGMA key = 'x'":                                           true,
		"PRAGMA key='x'":                                             true,
		"pragma hexkey('00')":                                        true,
		"SELECT 'eyJhbGciOi.eyJ.x'":                                  true,
		"UPDATE users SET password = 'x'":                            true,
		"INSERT INTO k VALUES ('sk_test_x')":                         true,
		"INSERT INTO k VALUES ('AbCdEfGhIjKlMnOpQrStUvWxYz0123456')": true,
	} {
		if got := maySecret(statement); got != want {
			t.Errorf("maySecret(%q) = %v", statement, got)
		}
	}
}
