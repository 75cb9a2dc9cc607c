package install

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/zen-auth/zen/core/plugin"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/host/pin"
)

// The test binary is also the provider, whose version is appended to it.
func TestMain(m *testing.M) {
	if name, ok := handshake.ProviderName(filepath.Base(os.Args[0])); ok {
		self, _ := os.Executable()
		data, _ := os.ReadFile(self)
		version := string(data[bytes.LastIndexByte(data, '\n')+1:])
		if name == "liar" {
			name = "clerk"
		}
		plugin.Serve(fake{name, version})
		syscall.Exit(0)
	}
	os.Exit(m.Run())
}

type fake struct{ name, version string }

func (f fake) Describe(context.Context) (provider.Description, error) {
	return provider.Description{Name: f.name, Version: f.version}, nil
}
func (fake) Configure(context.Context, provider.Settings) ([]provider.Note, error) { return nil, nil }
func (fake) Check(context.Context, provider.CheckRequest, func(provider.Finding) error) (*provider.Credential, error) {
	return nil, nil
}

var acme = handshake.BinaryName("acme")

// program returns the bytes of a provider of that version.
func program(t *testing.T, version string) []byte {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	return append(data, "\n"+version...)
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func write(t *testing.T, data []byte, path ...string) string {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func newStore(t *testing.T) *Store {
	dir := t.TempDir()
	return &Store{Dir: filepath.Join(dir, "providers"), Lock: pin.NewLock(filepath.Join(dir, "zen.lock"))}
}

// runs checks that the installed provider has this version and is pinned.
func (s *Store) runs(t *testing.T, version string) {
	t.Helper()
	policy := &pin.Policy{Lock: s.Lock}
	m := host.NewManager(host.Options{Dirs: []string{s.Dir}, Trust: policy.Trust})
	defer m.Close(context.Background())
	description, err := m.Describe(t.Context(), "acme")
	if err != nil || description.Version != version {
		t.Errorf("installed version %q, %v; want %q", description.Version, err, version)
	}
	if left, _ := filepath.Glob(filepath.Join(s.Dir, ".install-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestInstallUpgradeRollbackRemove(t *testing.T) {
	s, dir := newStore(t), t.TempDir()
	install := func(version string, force bool) error {
		file := write(t, program(t, version), dir, acme)
		installed, err := s.Install(t.Context(), Request{Source: dir, Force: force})
		if err == nil && (installed.Pin.Version != version || installed.Pin.Known != pin.Local || installed.Pin.Source != file) {
			t.Errorf("installed %+v", installed.Pin)
		}
		return err
	}
	if err := install("1.9.0", false); err != nil {
		t.Fatal(err)
	}
	s.runs(t, "1.9.0")
	if err := install("1.10.0", false); err != nil {
		t.Fatal(err)
	}
	s.runs(t, "1.10.0")
	if err := install("1.9.9", false); !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), "older") {
		t.Errorf("a downgrade: %v", err)
	}
	s.runs(t, "1.10.0")
	if _, err := s.Rollback(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	s.runs(t, "1.9.0")
	if _, err := s.Rollback(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	s.runs(t, "1.10.0")
	if err := install("1.0.0", true); err != nil {
		t.Fatal(err)
	}
	s.runs(t, "1.0.0")
	// A previous version that was modified can't be restored.
	write(t, []byte("evil"), s.previous("acme"))
	var changed *pin.ChangedError
	if _, err := s.Rollback(t.Context(), "acme"); !errors.As(err, &changed) {
		t.Errorf("a changed previous version: %v", err)
	}
	s.runs(t, "1.0.0")
	if err := s.Remove(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(t.Context(), "acme"); !errors.Is(err, provider.ErrNoProvider) {
		t.Errorf("the second Remove: %v, want ErrNoProvider", err)
	}
	if err := s.Remove(t.Context(), "../acme"); !errors.Is(err, provider.ErrNoProvider) {
		t.Errorf("a path as the name: %v, want ErrNoProvider", err)
	}
}

func TestBinaryOfAnotherNameIsRefused(t *testing.T) {
	s := newStore(t)
	file := write(t, program(t, "1.0.0"), t.TempDir(), handshake.BinaryName("liar"))
	if _, err := s.Install(t.Context(), Request{Source: file}); !errors.Is(err, provider.ErrNoProvider) {
		t.Errorf("Install: %v, want ErrNoProvider", err)
	}
	if pins, _ := s.Lock.Load(); len(pins) != 0 {
		t.Errorf("pinned: %v", pins)
	}
}

type file struct {
	name string
	data []byte
	mode fs.FileMode
	kind byte
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func tarball(files ...file) []byte {
	var out bytes.Buffer
	zipped := must(gzip.NewWriterLevel(&out, gzip.NoCompression))
	w := tar.NewWriter(zipped)
	for _, f := range files {
		header := &tar.Header{Name: f.name, Mode: int64(f.mode.Perm()), Size: int64(len(f.data)), Typeflag: f.kind}
		if f.kind == tar.TypeSymlink || f.kind == tar.TypeLink {
			header.Linkname, header.Size, f.data = "/etc/passwd", 0, nil
		}
		if err := w.WriteHeader(header); err != nil {
			panic(err)
		}
		if _, err := w.Write(f.data); err != nil {
			panic(err)
		}
	}
	_, _ = w.Close(), zipped.Close()
	return out.Bytes()
}

func zipball(files ...file) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.name, Method: zip.Store}
		if f.name == acme {
			header.Method = zip.Deflate
		}
		header.SetMode(f.mode)
		entry, err := w.CreateHeader(header)
		if err == nil {
			_, err = entry.Write(f.data)
		}
		if err != nil {
			panic(err)
		}
	}
	_ = w.Close()
	return out.Bytes()
}

func TestArchives(t *testing.T) {
	good := file{name: "acme-1.0.0/" + acme, data: program(t, "1.0.0"), mode: 0o755}
	small := file{name: acme, data: []byte("x"), mode: 0o755}
	for name, test := range map[string]struct {
		file string
		data []byte
		ok   bool
	}{
		"tar":              {"a.tar.gz", tarball(file{name: "README.md", data: []byte("hi")}, good), true},
		"zip":              {"a.zip", zipball(file{name: "README.md", data: []byte("hi")}, good), true},
		"traversal":        {"a.tar.gz", tarball(file{name: acme, data: []byte("x")}, file{name: "../../../" + acme, data: []byte("x")}), false},
		"zip traversal":    {"a.zip", zipball(file{name: "../" + acme, data: []byte("x")}), false},
		"zip backslash":    {"a.zip", zipball(file{name: `..\` + acme, data: []byte("x")}), false},
		"absolute":         {"a.tar.gz", tarball(file{name: "/tmp/" + acme, data: []byte("x")}), false},
		"symbolic link":    {"a.tar.gz", tarball(file{name: acme, kind: tar.TypeSymlink}), false},
		"hard link":        {"a.tar.gz", tarball(file{name: acme, kind: tar.TypeLink}), false},
		"zip link":         {"a.zip", zipball(file{name: acme, data: []byte("/bin/sh"), mode: fs.ModeSymlink | 0o777}), false},
		"device":           {"a.tar.gz", tarball(file{name: acme, kind: tar.TypeChar}), false},
		"two providers":    {"a.tar.gz", tarball(small, file{name: "x/" + acme, data: []byte("y")}), false},
		"no provider":      {"a.zip", zipball(file{name: "README.md"}), false},
		"too many entries": {"a.tar.gz", tarball(make([]file, maxEntries+1)...), false},
		"not an archive":   {"a.tar.gz", []byte("hello"), false},
		"cut short":        {"a.tar.gz", tarball(small)[:20], false},
		"a bad name":       {"zen-provider-UPPER", []byte("hello"), false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			outside := filepath.Dir(s.Dir)
			_, err := s.Install(t.Context(), Request{Source: write(t, test.data, t.TempDir(), test.file)})
			if (err == nil) != test.ok {
				t.Errorf("Install: %v", err)
			}
			if test.ok {
				s.runs(t, "1.0.0")
				return
			}
			for _, dir := range []string{s.Dir, outside} {
				entries, _ := os.ReadDir(dir)
				for _, entry := range entries {
					if entry.Name() != "providers" && !strings.HasPrefix(entry.Name(), "zen.lock") {
						t.Errorf("left: %s", entry.Name())
					}
				}
			}
		})
	}
}

// The header of a bomb may claim a small size.
func TestBombs(t *testing.T) {
	dir := t.TempDir()
	if err := save(filepath.Join(dir, "big"), bytes.NewReader(make([]byte, 101)), 100); !errors.Is(err, provider.ErrConfig) {
		t.Errorf("over the limit: %v", err)
	}
	if err := save(filepath.Join(dir, "fits"), bytes.NewReader(make([]byte, 100)), 100); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	bomb := zipball(file{name: acme, data: make([]byte, 8<<20), mode: 0o755})
	if len(bomb) > 1<<20 {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	s := newStore(t)
	s.limit = 1 << 20
	if _, err := s.Install(t.Context(), Request{Source: write(t, bomb, dir, "a.zip")}); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("Install of a bomb: %v, want an error about its size", err)
	}
}

func TestDownloads(t *testing.T) {
	data := program(t, "2.0.0")
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	key := base64.StdEncoding.EncodeToString(public)
	sums := []byte(fmt.Sprintf("%s  other\n%s *%s\n", strings.Repeat("0", 64), sumOf(data), acme))
	signature := ed25519.Sign(private, sums)
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	mux := http.NewServeMux()
	serve := func(path string, body []byte) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
	}
	serve("/"+acme, data)
	serve("/SHA256SUMS", sums)
	serve("/SHA256SUMS.sig", []byte(base64.StdEncoding.EncodeToString(signature)))
	serve("/raw.sig", signature)
	serve("/evil/"+acme, append(data, 'x'))
	mux.Handle("/insecure/", http.RedirectHandler(plain.URL+"/"+acme, http.StatusFound))
	mux.Handle("/moved/", http.RedirectHandler("/"+acme, http.StatusFound))
	server := httptest.NewTLSServer(mux)
	defer server.Close()
	u := server.URL
	for name, test := range map[string]struct {
		request Request
		known   string // empty if it is refused
	}{
		"a SHA-256 sum":                {Request{Source: u + "/" + acme, SHA256: sumOf(data)}, pin.SHA256},
		"a SHA-256 sum and a redirect": {Request{Source: u + "/moved/" + acme, SHA256: sumOf(data)}, pin.SHA256},
		"signed checksums":             {Request{Source: u + "/" + acme, Checksums: u + "/SHA256SUMS", Key: key}, "ed25519:" + sumOf(public)[:16]},
		"raw signature":                {Request{Source: u + "/" + acme, Checksums: u + "/SHA256SUMS", Key: key, Signature: u + "/raw.sig"}, "ed25519:" + sumOf(public)[:16]},
		"local checksums":              {Request{Source: u + "/" + acme, Checksums: write(t, sums, t.TempDir(), "SHA256SUMS")}, pin.Checksums},
		"no sum":                       {Request{Source: u + "/" + acme}, ""},
		"wrong sum":                    {Request{Source: u + "/evil/" + acme, SHA256: sumOf(data)}, ""},
		"bad sum":                      {Request{Source: u + "/" + acme, SHA256: "abc"}, ""},
		"a sum and checksums":          {Request{Source: u + "/" + acme, SHA256: sumOf(data), Checksums: u + "/SHA256SUMS", Key: key}, ""},
		"unsigned checksums":           {Request{Source: u + "/" + acme, Checksums: u + "/SHA256SUMS"}, ""},
		"other file":                   {Request{Source: u + "/evil/" + acme, Checksums: u + "/SHA256SUMS", Key: key}, ""},
		"other key":                    {Request{Source: u + "/" + acme, Checksums: u + "/SHA256SUMS", Key: base64.StdEncoding.EncodeToString(make([]byte, 32))}, ""},
		"other signature":              {Request{Source: u + "/" + acme, Checksums: u + "/SHA256SUMS", Key: key, Signature: u + "/SHA256SUMS"}, ""},
		"not listed":                   {Request{Source: u + "/" + handshake.BinaryName("new"), Checksums: u + "/SHA256SUMS", Key: key}, ""},
		"missing file":                 {Request{Source: u + "/none/" + acme, SHA256: sumOf(data)}, ""},
		"unencrypted http":             {Request{Source: plain.URL + "/" + acme, SHA256: sumOf(data)}, ""},
		"redirect to http":             {Request{Source: u + "/insecure/" + acme, SHA256: sumOf(data)}, ""},
		"a password in the URL":        {Request{Source: strings.Replace(u, "//", "//user:s3cret@", 1) + "/" + acme, SHA256: sumOf(data)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			s.Client = server.Client()
			installed, err := s.Install(t.Context(), test.request)
			if test.known == "" {
				if err == nil || strings.Contains(err.Error(), "s3cret") {
					t.Errorf("Install = %+v, %v, want an error without the password", installed, err)
				}
				if pins, _ := s.Lock.Load(); len(pins) != 0 {
					t.Errorf("pinned: %v", pins)
				}
				return
			}
			if err != nil || installed.Pin.Known != test.known {
				t.Fatalf("Install = %+v, %v", installed, err)
			}
			s.runs(t, "2.0.0")
		})
	}
}

// A provider whose first version was signed only accepts versions with the same key.
func TestASignedProviderStaysSigned(t *testing.T) {
	s := newStore(t)
	signed := func(version string, key ed25519.PrivateKey) Request {
		dir := t.TempDir()
		data := program(t, version)
		sums := []byte(sumOf(data) + "  " + acme + "\n")
		write(t, ed25519.Sign(key, sums), dir, "SUMS.sig")
		return Request{
			Source: write(t, data, dir, acme), Checksums: write(t, sums, dir, "SUMS"),
			Key: base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)),
		}
	}
	_, author, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, other, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	unsigned := Request{Source: write(t, program(t, "1.2.0"), t.TempDir(), acme)}
	for _, step := range []struct {
		request Request
		version string // installed after the step
		ok      bool
	}{
		{signed("1.0.0", author), "1.0.0", true},
		{signed("1.1.0", author), "1.1.0", true},
		{signed("1.2.0", other), "1.1.0", false},
		{unsigned, "1.1.0", false},
		{Request{Source: unsigned.Source, Force: true}, "1.2.0", true},
	} {
		if _, err := s.Install(t.Context(), step.request); (err == nil) != step.ok || err != nil && provider.Hint(err) == "" {
			t.Errorf("Install(%+v): %v", step.request, err)
		}
		s.runs(t, step.version)
	}
}

func TestOlder(t *testing.T) {
	ordered := []string{"0.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-rc.2", "1.0.0-rc.10", "1.0.0", "v1.0.1", "1.2", "1.10.0", "2.0.0"}
	for i, a := range ordered {
		for j, b := range ordered {
			if Older(a, b) != (i < j) {
				t.Errorf("Older(%q, %q) = %v", a, b, i >= j)
			}
		}
	}
	if Older("1.0.0+b", "v1.0.0+a") {
		t.Error("Older compares build metadata")
	}
}

func FuzzChecksums(f *testing.F) {
	f.Add([]byte(strings.Repeat("a", 64)+"  x\r\n"), "x")
	f.Add([]byte("short  x\n"), "x")
	f.Fuzz(func(t *testing.T, list []byte, name string) {
		if sum, err := findSum(list, name); err == nil && (len(sum) != 64 || !bytes.Contains(bytes.ToLower(list), []byte(sum))) {
			t.Errorf("sum %q", sum)
		}
	})
}
