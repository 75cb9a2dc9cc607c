package jwks

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/google/renameio/v2/maybe"
)

// cache is one key set's file. The zero cache is none.
//
// What is wrong with the file is no error: a key set can always be had again.
type cache struct{ path, url string }

// entry is the content of the file.
type entry struct {
	URL       string          `json:"url"`
	Fetched   time.Time       `json:"fetched_at"`
	Refetched time.Time       `json:"refetched_at,omitzero"`
	ETag      string          `json:"etag,omitempty"`
	MaxAge    int64           `json:"max_age_seconds"`
	Set       json.RawMessage `json:"set"`
}

func newCache(dir, url string) cache {
	sum := sha256.Sum256([]byte(url))
	return cache{path: filepath.Join(dir, hex.EncodeToString(sum[:])+".json"), url: url}
}

func (c cache) load() *snapshot {
	if c.path == "" || !c.trusted() {
		return nil
	}
	file, err := os.Open(c.path)
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, 2*maxBody))
	if err != nil {
		return nil
	}
	var e entry
	if json.Unmarshal(content, &e) != nil || e.URL != c.url {
		return nil
	}
	keys, err := Parse(e.Set)
	if err != nil {
		return nil
	}
	return &snapshot{
		keys: keys, body: e.Set, etag: e.ETag, fetched: e.Fetched, refetched: e.Refetched,
		maxAge: min(max(0, time.Duration(e.MaxAge)*time.Second), maxMaxAge),
	}
}

// trusted refuses a file that somebody else could have put there or written to:
// its keys decide which tokens are good.
func (c cache) trusted() bool {
	info, err := os.Lstat(c.path)
	return err == nil && info.Mode().IsRegular() && (runtime.GOOS == "windows" || info.Mode().Perm()&0o022 == 0)
}

func (c cache) store(snap *snapshot) error {
	if c.path == "" {
		return nil
	}
	content, err := json.Marshal(entry{
		URL: c.url, Fetched: snap.fetched, Refetched: snap.refetched, ETag: snap.etag,
		MaxAge: int64(snap.maxAge / time.Second), Set: snap.body,
	})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.path), 0o700); err != nil {
		return err
	}
	if !c.trusted() {
		// Replacing a file keeps its mode.
		_ = os.Remove(c.path)
	}
	return maybe.WriteFile(c.path, content, 0o600)
}
