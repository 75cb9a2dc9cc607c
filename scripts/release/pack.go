package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// file is one of an archive's: its name there, where it is, and its mode.
type file struct {
	name, path string
	mode       int64
}

func sorted(files []file) []file {
	return slices.SortedFunc(slices.Values(files), func(a, b file) int { return strings.Compare(a.name, b.name) })
}

// writeTar writes files below dir, owned by root, all of the one time.
func writeTar(w io.Writer, dir string, files []file, made time.Time) error {
	zipped := gzip.NewWriter(w) // which writes neither a name nor a time
	archive := tar.NewWriter(zipped)
	for _, f := range sorted(files) {
		content, err := os.ReadFile(f.path)
		if err != nil {
			return err
		}
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: dir + "/" + f.name, Size: int64(len(content)), Mode: f.mode,
			ModTime: made, Uname: "root", Gname: "root", Format: tar.FormatUSTAR,
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(content); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), zipped.Close())
}

// writeZip is writeTar for Windows.
func writeZip(w io.Writer, dir string, files []file, made time.Time) error {
	archive := zip.NewWriter(w)
	for _, f := range sorted(files) {
		content, err := os.ReadFile(f.path)
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

// sumOf is the SHA-256 of a file, in hexadecimal.
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

// writeSums writes SHA256SUMS as sha256sum(1) does, by name.
func writeSums(dir string, archives []string) error {
	var lines strings.Builder
	for _, name := range slices.Sorted(slices.Values(archives)) {
		sum, err := sumOf(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		lines.WriteString(sum + "  " + name + "\n")
	}
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(lines.String()), 0o644)
}
