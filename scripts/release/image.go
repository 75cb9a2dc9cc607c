package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// user is zen's user in the image: one that no distribution uses.
const user = 65532

// image is one of an OCI layout's images: its blobs, and the descriptor of its manifest.
// https://github.com/opencontainers/image-spec
type image struct {
	blobs    [][]byte
	manifest map[string]any
	made     time.Time
	version  string
}

// described returns the descriptor of a blob.
func described(mediaType string, blob []byte) map[string]any {
	return map[string]any{"mediaType": mediaType, "digest": "sha256:" + digest(blob), "size": len(blob)}
}

func digest(blob []byte) string {
	sum := sha256.Sum256(blob)
	return hex.EncodeToString(sum[:])
}

// newImage has u's programs, the root certificates, a home directory and /tmp, and
// nothing else: no shell, no library, no distribution.
func newImage(u unpacked, roots string) (image, error) {
	programs, err := u.programs()
	if err != nil {
		return image{}, err
	}
	files := []file{
		{name: "etc/", mode: 0o755},
		{name: "etc/passwd", mode: 0o644, content: []byte("root:x:0:0:root:/:/\nzen:x:65532:65532:zen:/home/zen:/\n")},
		{name: "etc/ssl/", mode: 0o755},
		{name: "etc/ssl/certs/", mode: 0o755},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: []byte(roots)},
		{name: "home/", mode: 0o755},
		{name: "home/zen/", mode: 0o700, owner: user},
		{name: "tmp/", mode: 0o1777},
		{name: "usr/", mode: 0o755},
		{name: "usr/bin/", mode: 0o755},
		{name: "usr/bin/zen", mode: 0o777, link: "../lib/zen/zen"},
		{name: "usr/lib/", mode: 0o755},
		{name: "usr/lib/zen/", mode: 0o755},
		{name: "usr/lib/zen/LICENSE", mode: 0o644, path: filepath.Join(u.dir, "LICENSE")},
	}
	for _, path := range programs {
		files = append(files, file{name: "usr/lib/zen/" + filepath.Base(path), mode: 0o755, path: path})
	}
	var plain, layer bytes.Buffer
	if err := writeEntries(&plain, files, u.made); err != nil {
		return image{}, err
	}
	zipped := gzip.NewWriter(&layer)
	if _, err := zipped.Write(plain.Bytes()); err != nil {
		return image{}, err
	}
	if err := zipped.Close(); err != nil {
		return image{}, err
	}
	config, err := json.Marshal(map[string]any{
		"created": u.made, "architecture": u.arch, "os": "linux",
		"config": map[string]any{
			"User": "65532:65532", "WorkingDir": "/home/zen", "Entrypoint": []string{"/usr/bin/zen"},
			"Env":    []string{"PATH=/usr/bin", "HOME=/home/zen"},
			"Labels": map[string]string{"org.opencontainers.image.version": u.version, "org.opencontainers.image.licenses": "MIT"},
		},
		"rootfs":  map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + digest(plain.Bytes())}},
		"history": []map[string]any{{"created": u.made, "created_by": "zen " + u.version}},
	})
	if err != nil {
		return image{}, err
	}
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		"config": described("application/vnd.oci.image.config.v1+json", config),
		"layers": []any{described("application/vnd.oci.image.layer.v1.tar+gzip", layer.Bytes())},
	})
	if err != nil {
		return image{}, err
	}
	d := described("application/vnd.oci.image.manifest.v1+json", manifest)
	d["platform"] = map[string]string{"os": "linux", "architecture": u.arch}
	return image{[][]byte{layer.Bytes(), config, manifest}, d, u.made, u.version}, nil
}

// writeImages writes an OCI layout as a tar file: one index of all images, called by the
// version.
func writeImages(path string, images []image) error {
	var manifests []any
	files := []file{
		{name: "oci-layout", mode: 0o644, content: []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		{name: "blobs/", mode: 0o755},
		{name: "blobs/sha256/", mode: 0o755},
	}
	add := func(blob []byte) {
		files = append(files, file{name: "blobs/sha256/" + digest(blob), mode: 0o644, content: blob})
	}
	for _, one := range images {
		for _, blob := range one.blobs {
			add(blob)
		}
		manifests = append(manifests, one.manifest)
	}
	const indexType = "application/vnd.oci.image.index.v1+json"
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": indexType, "manifests": manifests})
	if err != nil {
		return err
	}
	add(index)
	named := described(indexType, index)
	named["annotations"] = map[string]string{"org.opencontainers.image.ref.name": images[0].version}
	top, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": indexType, "manifests": []any{named}})
	if err != nil {
		return err
	}
	files = append(files, file{name: "index.json", mode: 0o644, content: top})
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(writeEntries(f, files, images[0].made), f.Close())
}
