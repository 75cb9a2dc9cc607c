package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// file is one of an archive's: its name there, its mode, and what is in it: the content,
// or that of the file at path. One with a link is a symbolic one, and one whose name ends
// with a slash a directory.
type file struct {
	name, path, link string
	content          []byte
	mode             int64
	// owner is root where it is not said otherwise.
	owner int
}

func (f file) read() ([]byte, error) {
	if f.path == "" {
		return f.content, nil
	}
	return os.ReadFile(f.path)
}

func sorted(files []file) []file {
	return slices.SortedFunc(slices.Values(files), func(a, b file) int { return strings.Compare(a.name, b.name) })
}

// writeTar writes files below dir into a compressed archive.
func writeTar(w io.Writer, dir string, files []file, made time.Time) error {
	zipped := gzip.NewWriter(w) // which writes neither a name nor a time
	below := slices.Clone(files)
	for i := range below {
		below[i].name = dir + "/" + below[i].name
	}
	return errors.Join(writeEntries(zipped, below, made), zipped.Close())
}

// writeEntries writes files into an archive, all of the one time.
func writeEntries(w io.Writer, files []file, made time.Time) error {
	archive := tar.NewWriter(w)
	for _, f := range sorted(files) {
		content, err := f.read()
		if err != nil {
			return err
		}
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: f.name, Size: int64(len(content)), Mode: f.mode, Uid: f.owner, Gid: f.owner,
			ModTime: made, Format: tar.FormatUSTAR,
		}
		switch {
		case f.link != "":
			header.Typeflag, header.Linkname = tar.TypeSymlink, f.link
		case strings.HasSuffix(f.name, "/"):
			header.Typeflag = tar.TypeDir
		}
		if f.owner == 0 {
			header.Uname, header.Gname = "root", "root"
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(content); err != nil {
			return err
		}
	}
	return archive.Close()
}

// writeZip is writeTar for Windows.
func writeZip(w io.Writer, dir string, files []file, made time.Time) error {
	archive := zip.NewWriter(w)
	for _, f := range sorted(files) {
		content, err := f.read()
		if err != nil {
			return err
		}
		header := &zip.FileHeader{Name: dir + "/" + f.name, Method: zip.Deflate, Modified: made.UTC()}
		header.SetMode(os.FileMode(f.mode))
		entry, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := entry.Write(content); err != nil {
			return err
		}
	}
	return archive.Close()
}

// sumOf returns the SHA-256 of a file, in hexadecimal.
func sumOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// writeSums writes SHA256SUMS of all files of a version in dir, and of install.sh, as
// sha256sum(1) does.
func writeSums(dir, version string) error {
	paths, err := filepath.Glob(filepath.Join(dir, "zen-"+version+"*"))
	installer, more := filepath.Glob(filepath.Join(dir, "install.sh"))
	if err := errors.Join(err, more); err != nil {
		return err
	}
	var lines strings.Builder
	for _, path := range append(installer, paths...) { // which are sorted
		sum, err := sumOf(path)
		if err != nil {
			return err
		}
		lines.WriteString(sum + "  " + filepath.Base(path) + "\n")
	}
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(lines.String()), 0o644)
}

// checkSum returns an error where content is not what SHA256SUMS in dir says of the file
// called name.
func checkSum(dir, name string, content []byte) error {
	sums, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	if err != nil {
		return err
	}
	got := digest(content)
	for line := range strings.Lines(string(sums)) {
		want, of, _ := strings.Cut(strings.TrimSpace(line), "  ")
		if of != name {
			continue
		}
		if got != want {
			return fmt.Errorf("%s is not what SHA256SUMS says: %s, not %s: `make release` again", filepath.Join(dir, name), got, want)
		}
		return nil
	}
	return fmt.Errorf("SHA256SUMS in %s has no sum of %s: `make release` again", dir, name)
}
