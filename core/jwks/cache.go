package jwks

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/jsonobject"
	"github.com/zen-auth/zen/internal/private"
)

// maxSet bounds a key set in bytes: one of 64 large RSA keys with certificates has less.
const maxSet = 1 << 20

// Disk is the Source of a key set that package keyset keeps in a directory, for programs that
// can't use the network, or may not.
type Disk struct {
	// Dir is the directory, URL that of the key set.
	Dir, URL string
}

// entry is the content of the file.
type entry struct {
	URL       string          `json:"url"`
	Fetched   time.Time       `json:"fetched_at"`
	Refetched time.Time       `json:"refetched_at,omitzero"`
	ETag      string          `json:"etag,omitempty"`
	Set       json.RawMessage `json:"set"`
}

// Path returns the file of the key set.
func (d Disk) Path() string {
	sum := sha256.Sum256([]byte(d.URL))
	return filepath.Join(d.Dir, hex.EncodeToString(sum[:])+".json")
}

// Load reads the file. The error is ErrUnavailable if there is none, where someone
// else could have put it there or written to it (its keys decide which tokens are
// good), and where it is damaged: a key set can be fetched again.
func (d Disk) Load() (*Set, error) {
	file, err := private.Own.Open(d.Path(), os.O_RDONLY)
	if err != nil {
		return nil, d.missing()
	}
	defer func() { _ = file.Close() }()
	content, err := private.ReadAll(file, 2*maxSet)
	if err != nil {
		return nil, d.missing()
	}
	e, err := jsonobject.Read(content) // a struct would take longer than all the rest
	if err != nil || e.Text("url") != d.URL {
		return nil, d.missing()
	}
	keys, err := readKeys(e.Object("set"))
	if err != nil {
		return nil, d.missing()
	}
	s := &Set{URL: d.URL, Keys: keys, JSON: []byte(e.Raw("set")), ETag: e.Text("etag")}
	var err1, err2 error
	s.Fetched, err1 = readDate(e, "fetched_at")
	s.Refetched, err2 = readDate(e, "refetched_at")
	if err1 != nil || err2 != nil {
		return nil, d.missing()
	}
	return s, nil
}

func readDate(e jsonobject.Object, name string) (time.Time, error) {
	if !e.Has(name) {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339Nano, e.Text(name))
}

// Marshal returns the content of the file of a set.
func (s *Set) Marshal() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // the set stays what it is, byte for byte
	err := encoder.Encode(entry{
		URL: s.URL, Fetched: s.Fetched, Refetched: s.Refetched, ETag: s.ETag, Set: s.JSON,
	})
	return b.Bytes(), err
}

// errNoNetwork marks a Source that never asks the issuer.
var errNoNetwork = errors.New("the network is not to be used")

func (d Disk) missing() error {
	return &provider.Error{
		Kind: provider.ErrUnavailable, Message: fmt.Sprintf("fetch key set %s: not on disk, and %v", d.URL, errNoNetwork), Err: errNoNetwork,
	}
}

// Held implements Source.
func (d Disk) Held(context.Context) (set *Set, fresh bool, err error) {
	set, err = d.Load()
	return set, false, err
}

// Renew implements Source: another process may have fetched the set meanwhile.
func (d Disk) Renew(_ context.Context, held *Set) (*Set, error) {
	if set, err := d.Load(); err == nil && set.Fetched.After(held.Fetched) {
		return set, nil
	}
	return held, d.missing()
}

// Interface guards
var _ Source = Disk{}
