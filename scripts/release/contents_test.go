package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestContents lists what is in zen twice, and wants the crates of the library in it, and
// the word that there may be more.
func TestContents(t *testing.T) {
	if testing.Short() {
		t.Skip("builds cyclonedx-gomod: make test-all does")
	}
	t.Chdir("../..")
	var lists [2][]byte
	for i := range lists {
		path := filepath.Join(t.TempDir(), "zen.cdx.json")
		if err := new(release).writeContents(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		var err error
		if lists[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(lists[0], lists[1]) {
		t.Error("two lists of the same differ")
	}
	type component struct {
		Name, Version, Purl string
		Ref                 string `json:"bom-ref"`
		Components          []component
	}
	var list struct {
		SpecVersion  string
		Components   []component
		Compositions []struct {
			Aggregate  string
			Assemblies []string
		}
	}
	if err := json.Unmarshal(lists[0], &list); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list.Components, func(c component) bool { return c.Name == compiledModule })
	if i < 0 {
		t.Fatalf("no %s", compiledModule)
	}
	module := list.Components[i]
	if len(list.Compositions) != 1 || list.Compositions[0].Aggregate != "incomplete" || !slices.Equal(list.Compositions[0].Assemblies, []string{module.Ref}) {
		t.Errorf("compositions: %+v", list.Compositions)
	}
	refs := make(map[string]bool)
	var purls []string
	for _, c := range module.Components {
		if refs[c.Ref] || c.Ref == "" {
			t.Errorf("the reference %q is there twice, or empty", c.Ref)
		}
		refs[c.Ref] = true
		purls = append(purls, c.Purl)
	}
	for _, start := range []string{"pkg:cargo/libsql@", "pkg:generic/sqlite@3.", "pkg:generic/rust@1.", "pkg:cargo/rustls@", "pkg:cargo/tokio@", "pkg:cargo/hyper-rustls@"} {
		if !slices.ContainsFunc(purls, func(purl string) bool { return strings.HasPrefix(purl, start) }) {
			t.Errorf("nothing begins with %s in %q", start, purls)
		}
	}
}

// TestPartsOfALibrary reads what a library says, and refuses to guess.
func TestPartsOfALibrary(t *testing.T) {
	const says = "\x00\x000.9.25libsql-remote-\x003.45.1\x00clang LLVM (rustc version 1.85.0 (4d91de4e4 2025-02-17))\x00" +
		"/registry/src/index.crates.io-6f17d22bba15001f/tokio-io-timeout-1.2.0/src/lib.rs\x00" +
		"/registry/src/index.crates.io-6f17d22bba15001f/futures-core-0.4.0-alpha.1/src/lib.rs\x00"
	parts, err := partsIn([]byte(says))
	if err != nil {
		t.Fatal(err)
	}
	want := []part{
		{"libsql", "0.9.25", "pkg:cargo/libsql@0.9.25"},
		{"sqlite", "3.45.1", "pkg:generic/sqlite@3.45.1"},
		{"rust", "1.85.0", "pkg:generic/rust@1.85.0"},
		{"tokio-io-timeout", "1.2.0", "pkg:cargo/tokio-io-timeout@1.2.0"},
		{"futures-core", "0.4.0-alpha.1", "pkg:cargo/futures-core@0.4.0-alpha.1"},
	}
	if !slices.Equal(parts, want) {
		t.Errorf("%v", parts)
	}
	for _, wrong := range []string{strings.Replace(says, "libsql-remote-", "", 1), says + "\x003.46.0\x00"} {
		if parts, err := partsIn([]byte(wrong)); err == nil {
			t.Errorf("%v", parts)
		}
	}
}
