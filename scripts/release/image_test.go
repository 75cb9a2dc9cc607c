package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestImage reads a layout back as a puller does: from the index to the files, each blob
// by its digest.
func TestImage(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"zen", "zen-provider-clerk", "LICENSE"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var written [2][]byte
	for i := range written {
		one, err := newImage(unpacked{dir, "v1.2.3", "arm64", time.Unix(1, 0).UTC()}, "ROOTS")
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "oci.tar")
		if err := writeImages(path, []image{one}); err != nil {
			t.Fatal(err)
		}
		if written[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(written[0], written[1]) {
		t.Error("the same image twice differs")
	}
	files := untar(t, bytes.NewReader(written[0]))
	type descriptor struct {
		Digest      string
		Size        int
		Platform    struct{ Architecture string }
		Annotations map[string]string
	}
	var top, index struct{ Manifests []descriptor }
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	var config struct {
		Architecture string
		Rootfs       struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
	blob := func(d descriptor) []byte {
		content := files["blobs/"+strings.Replace(d.Digest, ":", "/", 1)].content
		if d.Digest != "sha256:"+digest(content) || d.Size != len(content) {
			t.Fatalf("the blob of %+v has %d bytes", d, len(content))
		}
		return content
	}
	if err := json.Unmarshal(files["index.json"].content, &top); err != nil || top.Manifests[0].Annotations["org.opencontainers.image.ref.name"] != "v1.2.3" {
		t.Fatalf("%v %+v", err, top)
	}
	if err := json.Unmarshal(blob(top.Manifests[0]), &index); err != nil || index.Manifests[0].Platform.Architecture != "arm64" {
		t.Fatalf("%v %+v", err, index)
	}
	err := json.Unmarshal(blob(index.Manifests[0]), &manifest)
	if err := errors.Join(err, json.Unmarshal(blob(manifest.Config), &config)); err != nil || config.Architecture != "arm64" {
		t.Fatalf("%v %+v", err, config)
	}
	zipped, err := gzip.NewReader(bytes.NewReader(blob(manifest.Layers[0])))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := io.ReadAll(zipped)
	if err != nil || config.Rootfs.DiffIDs[0] != "sha256:"+digest(layer) {
		t.Fatalf("%v %+v", err, config)
	}
	inside := untar(t, bytes.NewReader(layer))
	for name, want := range map[string]file{
		"usr/bin/zen":                       {mode: 0o777, link: "../lib/zen/zen"},
		"usr/lib/zen/":                      {mode: 0o755},
		"usr/lib/zen/zen":                   {mode: 0o755, content: []byte("zen")},
		"usr/lib/zen/zen-provider-clerk":    {mode: 0o755, content: []byte("zen-provider-clerk")},
		"etc/ssl/certs/ca-certificates.crt": {mode: 0o644, content: []byte("ROOTS")},
		"home/zen/":                         {mode: 0o700, owner: user},
		"tmp/":                              {mode: 0o1777},
	} {
		if got := inside[name]; got.mode != want.mode || got.link != want.link || got.owner != want.owner || !bytes.Equal(got.content, want.content) {
			t.Errorf("%s is %+v", name, got)
		}
	}
}

// untar returns what is in an archive, by name.
func untar(t *testing.T, r io.Reader) map[string]file {
	t.Helper()
	files := make(map[string]file)
	for archive := tar.NewReader(r); ; {
		header, err := archive.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = file{header.Name, "", header.Linkname, content, header.Mode, header.Uid}
	}
}
