package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// tools is the directory from which the programs are built that make packages.
const tools = "tools/release"

// maintainer is a working name, as the module's path is: no one reads mail there.
const maintainer = "The zen authors <zen@zen-auth.example>"

// unpacked is an archive for Linux, in a directory.
type unpacked struct {
	dir, version, arch string
	made               time.Time
}

// packages makes what installs the archives of Linux that are in r.out: packages of three
// kinds, an image, and beside them the list of what is in zen.
func (r *release) packages(ctx context.Context) (err error) {
	stage, err := os.MkdirTemp("", "zen-packages-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(stage)) }()
	roots, err := run(ctx, append(os.Environ(), "GOFLAGS="), "go", "run", "-C", tools, "./roots")
	if err != nil {
		return err
	}
	var version string
	var images []image
	for _, arch := range []string{"amd64", "arm64"} {
		full, err := r.unpack(stage, target{"linux", arch, false})
		if err != nil {
			return err
		}
		// Alpine has no glibc, and the image has nothing at all.
		static, err := r.unpack(stage, target{"linux", arch, true})
		if err != nil {
			return err
		}
		for kind, u := range map[string]unpacked{"deb": full, "rpm": full, "apk": static} {
			if err := r.pack(ctx, stage, kind, u); err != nil {
				return fmt.Errorf("%s for %s: %w", kind, arch, err)
			}
		}
		one, err := newImage(static, roots+"\n")
		if err != nil {
			return err
		}
		images, version = append(images, one), static.version
	}
	if err := writeImages(filepath.Join(r.out, "zen-"+version+"-oci.tar"), images); err != nil {
		return err
	}
	if err := r.writeContents(ctx, filepath.Join(r.out, "zen-"+version+".cdx.json")); err != nil {
		return err
	}
	return writeSums(r.out, version)
}

// unpack puts the archive of a target below stage, if it is the one that SHA256SUMS has.
func (r *release) unpack(stage string, t target) (unpacked, error) {
	ending := "-" + t.name() + ".tar.gz"
	found, err := filepath.Glob(filepath.Join(r.out, "zen-*"+ending))
	if err != nil {
		return unpacked{}, err
	}
	if len(found) != 1 {
		return unpacked{}, fmt.Errorf("%s has %d archives for %s, not one: empty it, and `make release` first", r.out, len(found), t.name())
	}
	name := strings.TrimSuffix(filepath.Base(found[0]), ".tar.gz")
	u := unpacked{
		dir: filepath.Join(stage, name), version: strings.TrimSuffix(strings.TrimPrefix(name, "zen-"), "-"+t.name()), arch: t.arch,
	}
	packed, err := os.ReadFile(found[0])
	if err != nil {
		return u, err
	}
	if err := checkSum(r.out, filepath.Base(found[0]), packed); err != nil {
		return u, err
	}
	plain, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return u, fmt.Errorf("%s: %w", found[0], err)
	}
	for archive := tar.NewReader(plain); ; {
		header, err := archive.Next()
		if err == io.EOF {
			return u, nil
		}
		if err != nil {
			return u, fmt.Errorf("%s: %w", found[0], err)
		}
		u.made = header.ModTime.UTC()
		content, err := io.ReadAll(archive)
		if err != nil {
			return u, fmt.Errorf("%s: %w", found[0], err)
		}
		path := filepath.Join(stage, filepath.FromSlash(header.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return u, err
		}
		if err := os.WriteFile(path, content, header.FileInfo().Mode()); err != nil {
			return u, err
		}
	}
}

// programs are zen, zen-query, zen-full and the providers: together, and nothing else, so that the
// directory is one that zen takes its providers from.
func (u unpacked) programs() ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(u.dir, "zen*"))
	return slices.DeleteFunc(paths, func(path string) bool { return filepath.Ext(path) != "" }), err
}

// completions returns the paths at which the shells of a kind of system look, by the files in
// an archive.
func completions(kind string) map[string]string {
	zsh := "/usr/share/zsh/site-functions/_zen"
	if kind == "deb" {
		zsh = "/usr/share/zsh/vendor-completions/_zen"
	}
	return map[string]string{
		"zen.bash": "/usr/share/bash-completion/completions/zen",
		"zen.zsh":  zsh,
		"zen.fish": "/usr/share/fish/vendor_completions.d/zen.fish",
	}
}

// content is a file of a package, for nfpm.
type content struct {
	Source      string `json:"src,omitempty"`
	Destination string `json:"dst"`
	Type        string `json:"type,omitempty"`
	Info        any    `json:"file_info,omitempty"`
}

// pack makes one package of a kind.
func (r *release) pack(ctx context.Context, stage, kind string, u unpacked) error {
	made := u.made.Format(time.RFC3339)
	var contents []content
	put := func(from, to string, mode int) {
		contents = append(contents, content{from, to, "", map[string]any{"owner": "root", "group": "root", "mode": mode, "mtime": made}})
	}
	write := func(text []byte, to string) error {
		path := filepath.Join(stage, kind+"-"+u.arch+"-"+filepath.Base(to))
		put(path, to, 0o644)
		return os.WriteFile(path, text, 0o644)
	}
	squeeze := func(from, to string) error {
		text, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		return write(squeezed(text), to)
	}
	// Directories of its own go with it, and with rpm those that nobody else may have. The
	// others are the system's.
	own := []string{"/usr/lib/zen", "/usr/share/doc/zen"}
	if kind != "deb" {
		own = append(own, "/usr/share/licenses/zen")
	}
	if kind == "rpm" {
		own = append(own, "/usr/share/fish", "/usr/share/fish/vendor_completions.d", "/usr/share/zsh", "/usr/share/zsh/site-functions")
	}
	for _, dir := range own {
		contents = append(contents, content{"", dir, "dir", map[string]any{"owner": "root", "group": "root", "mode": 0o755, "mtime": made}})
	}
	programs, err := u.programs()
	if err != nil {
		return err
	}
	for _, path := range programs {
		put(path, "/usr/lib/zen/"+filepath.Base(path), 0o755)
	}
	contents = append(contents, content{"../lib/zen/zen", "/usr/bin/zen", "symlink", map[string]any{"mtime": made}})
	for name, to := range completions(kind) {
		put(filepath.Join(u.dir, "completion", name), to, 0o644)
	}
	pages, err := filepath.Glob(filepath.Join(u.dir, "man", "*"))
	if err != nil {
		return err
	}
	for _, page := range pages {
		if err := squeeze(page, "/usr/share/man/man1/"+filepath.Base(page)+".gz"); err != nil {
			return err
		}
	}
	for _, name := range []string{"README.md", "AGENTS.md"} {
		put(filepath.Join(u.dir, name), "/usr/share/doc/zen/"+name, 0o644)
	}
	if err := squeeze(filepath.Join(u.dir, "CHANGELOG.md"), "/usr/share/doc/zen/changelog.gz"); err != nil {
		return err
	}
	if kind == "deb" {
		put(filepath.Join(u.dir, "LICENSE"), "/usr/share/doc/zen/copyright", 0o644)
		entry := fmt.Sprintf("zen (%s-1) unstable; urgency=medium\n\n  * changelog.gz has what users notice.\n\n -- %s  %s\n",
			strings.TrimPrefix(u.version, "v"), maintainer, u.made.Format(time.RFC1123Z))
		err := errors.Join(
			write(squeezed([]byte(entry)), "/usr/share/doc/zen/changelog.Debian.gz"),
			write([]byte("# Providers and zen itself are Go alone: they start the same everywhere.\nzen: statically-linked-binary [usr/lib/zen/zen*]\n"), "/usr/share/lintian/overrides/zen"),
		)
		if err != nil {
			return err
		}
	} else {
		put(filepath.Join(u.dir, "LICENSE"), "/usr/share/licenses/zen/LICENSE", 0o644)
	}
	config := map[string]any{
		"name": "zen", "arch": u.arch, "version": u.version, "release": "1", "mtime": made, "disable_globbing": true,
		"section": "utils", "priority": "optional", "license": "MIT", "homepage": "https://" + r.module,
		"maintainer":  maintainer,
		"description": "sign in with the identity you have, and use libSQL databases\nzen gives every libSQL connection a token that is fresh, verified and for that\ndatabase alone, whichever provider you sign in with.",
		"contents":    contents,
		// Else the name of the machine that built it is in it.
		"rpm": map[string]any{"buildhost": "zen", "summary": "sign in with the identity you have, and use libSQL databases"},
	}
	switch kind {
	case "deb":
		config["depends"], config["recommends"] = []string{"libc6 (>= " + glibc + ")"}, []string{"ca-certificates"}
	case "rpm":
		config["depends"], config["recommends"] = []string{"glibc >= " + glibc}, []string{"ca-certificates"}
	case "apk":
		config["depends"] = []string{"ca-certificates-bundle"}
	}
	text, err := json.Marshal(config) // which is YAML, too
	if err != nil {
		return err
	}
	path := filepath.Join(stage, kind+"-"+u.arch+".yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return err
	}
	out := filepath.Join(r.out, fmt.Sprintf("zen-%s-linux-%s.%s", u.version, u.arch, kind))
	_, err = run(ctx, append(os.Environ(), "GOFLAGS=", fmt.Sprintf("SOURCE_DATE_EPOCH=%d", u.made.Unix())),
		"go", "tool", "-modfile="+tools+"/go.mod", "nfpm", "package", "--config", path, "--packager", kind, "--target", out)
	if err != nil {
		return err
	}
	fmt.Println(out)
	return nil
}

// squeezed is gzip of text, as small as it gets, with neither a name nor a time.
func squeezed(text []byte) []byte {
	var out bytes.Buffer
	zipped, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // a level that there is
	_, _ = zipped.Write(text)                                    // a buffer takes everything
	_ = zipped.Close()
	return out.Bytes()
}
