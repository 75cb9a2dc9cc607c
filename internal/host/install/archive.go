package install

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/zen-auth/zen/internal/handshake"
)

// Of an archive, one file is written, to a path that isn't the archive's. All else
// that archives can do is refused (as notation does, whose test archives are the
// model for this package's).
const (
	maxEntries = 1000
	// slack is the room in an archive for what isn't the binary.
	slack = 64 << 20
)

func isArchive(name string) bool {
	return strings.HasSuffix(name, ".tar.gz") || strings.HasSuffix(name, ".tgz") || strings.HasSuffix(name, ".zip")
}

// unpack writes the provider binary in an archive into dir, under its name.
func unpack(archive, name, dir string, limit int64) (string, error) {
	if strings.HasSuffix(name, ".zip") {
		return unzip(archive, dir, limit)
	}
	return untar(archive, dir, limit)
}

// entry is one in an archive: keep reports whether it is the binary.
func entry(name string, mode fs.FileMode, found string) (keep bool, err error) {
	local := filepath.FromSlash(strings.TrimSuffix(name, "/"))
	switch {
	case !filepath.IsLocal(local) || strings.Contains(name, `\`):
		return false, failed("", "the archive has a file outside of it: %.60q", name)
	case mode.IsDir():
		return false, nil
	case !mode.IsRegular():
		return false, failed("", "the archive has something that is no file: %.60q", name)
	}
	_, keep = handshake.ProviderName(path.Base(name))
	if keep && found != "" {
		return false, failed("", "the archive has more than one provider")
	}
	return keep, nil
}

func untar(archive, dir string, limit int64) (found string, err error) {
	f, err := os.Open(archive)
	if err != nil {
		return "", failed("", "%v", err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return "", failed("", "the archive can't be read: %v", err)
	}
	bounded := &io.LimitedReader{R: unzipped, N: limit + slack}
	reader := tar.NewReader(bounded)
	for n := 0; ; n++ {
		header, err := reader.Next()
		switch {
		case errors.Is(err, io.EOF):
			return oneFound(found)
		case n == maxEntries || bounded.N == 0:
			return "", failed("", "the archive has too much in it")
		case err != nil:
			return "", failed("", "the archive can't be read: %v", err)
		}
		if header.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		keep, err := entry(header.Name, header.FileInfo().Mode(), found)
		if err != nil {
			return "", err
		}
		if header.Typeflag == tar.TypeLink { // a hard link has the mode of a file
			return "", failed("", "the archive has something that is no file: %.60q", header.Name)
		}
		if keep {
			found = filepath.Join(dir, path.Base(header.Name))
			if err := save(found, reader, limit); err != nil {
				return "", err
			}
		}
	}
}

func unzip(archive, dir string, limit int64) (found string, err error) {
	reader, err := zip.OpenReader(archive)
	if err != nil {
		return "", failed("", "the archive can't be read: %v", err)
	}
	defer reader.Close()
	if len(reader.File) > maxEntries {
		return "", failed("", "the archive has too much in it")
	}
	for _, file := range reader.File {
		keep, err := entry(file.Name, file.Mode(), found)
		if err != nil {
			return "", err
		}
		if !keep {
			continue
		}
		in, err := file.Open()
		if err != nil {
			return "", failed("", "the archive can't be read: %v", err)
		}
		found = filepath.Join(dir, path.Base(file.Name))
		err = save(found, in, limit)
		_ = in.Close()
		if err != nil {
			return "", err
		}
	}
	return oneFound(found)
}

func oneFound(found string) (string, error) {
	if found == "" {
		return "", failed("", "the archive has no zen-provider-NAME")
	}
	return found, nil
}
