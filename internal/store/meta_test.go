package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/store"
)

func TestMetaIsKnownWithoutTheKeyring(t *testing.T) {
	for _, storage := range []store.Storage{store.StorageKeyring, store.StorageFile} {
		t.Run(string(storage), func(t *testing.T) {
			w := newWorld(t)
			must(t, w.login(storage, "c"))
			w.ring.reads, w.ring.down = 0, errLocked
			got, err := w.program("").Meta("p")
			if err != nil {
				t.Fatal(err)
			}
			want := store.Meta{
				Profile: "p", Storage: storage, Provider: "clerk",
				Accounts: map[string]store.AccountMeta{"clerk": {
					Account: "alice", Detail: "by e-mail", Subject: "user_1", EnvNames: []string{"X"},
					Organization: &provider.Organization{ID: "org_1", Slug: "acme"},
				}},
				Tokens: map[string]store.TokenMeta{"clerk/clerk/1": {
					Issued: when, Expires: when.Add(time.Hour), KeyID: "ins_1",
					Verification: &provider.Verification{Issuer: "https://issuer", KeySetURL: "https://issuer/keys"},
				}},
			}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(store.TokenMeta{}, "Verified")); diff != "" {
				t.Error(diff)
			}
			if since := time.Since(got.Tokens["clerk/clerk/1"].Verified); since < 0 || since > time.Minute {
				t.Errorf("verified %s ago", since)
			}
			if list, err := w.program("").List(); err != nil || len(list) != 1 || list[0] != "p" {
				t.Errorf("List = %q, %v", list, err)
			}
			if w.ring.reads != 0 {
				t.Error("the keyring was read")
			}
			r := got.Record()
			if a := r.Accounts["clerk"]; a.Credential.Subject != "alice" || a.Credential.Detail != "by e-mail" || !a.Credential.Data.IsZero() || a.Claims.Organization.Slug != "acme" {
				t.Errorf("Record = %+v", r)
			}
		})
	}
}

// A process may end between the two renames of a write, and other programs may change the
// files. What then can't be known is in doubt, until the next write.
func TestMetaInDoubt(t *testing.T) {
	old := func(w *world) { // metadata of the previous write
		before := w.files()["p.meta"]
		must(t, w.login("", "c2"))
		must(t, os.WriteFile(w.metaPath(), []byte(before), 0o600))
	}
	for name, test := range map[string]struct {
		change func(w *world)
		doubt  string
	}{
		"crash before it":  {old, "the sealed file is another one"},
		"missing":          {func(w *world) { must(t, os.Remove(w.metaPath())) }, "nothing was written down"},
		"damaged":          {func(w *world) { must(t, os.WriteFile(w.metaPath(), []byte("{"), 0o600)) }, "can't be read"},
		"future version":   {func(w *world) { w.editMeta(`"schema_version":1`, `"schema_version":2`) }, "can't be read"},
		"another profile":  {func(w *world) { w.editMeta(`"profile":"p"`, `"profile":"q"`) }, "can't be read"},
		"storage differs":  {func(w *world) { w.editMeta(`"storage":"keyring"`, `"storage":"file"`) }, ""},
		"a directory":      {func(w *world) { must(t, os.Remove(w.metaPath())); must(t, os.Mkdir(w.metaPath(), 0o700)) }, "directory"},
		"credential moved": {func(w *world) { w.overwrite(w.files()["p.json"] + "\n") }, "the sealed file is another one"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			must(t, w.login("", "c"))
			test.change(w)
			m, err := w.program("").Meta("p")
			if err != nil || m.Storage != store.StorageKeyring || m.Profile != "p" || (m.Doubt == nil) != (test.doubt == "") {
				t.Fatalf("Meta = %+v, %v", m, err)
			}
			if m.Doubt != nil && !strings.Contains(m.Doubt.Error(), test.doubt) {
				t.Errorf("doubt %v, want %q", m.Doubt, test.doubt)
			}
			_ = os.Remove(w.metaPath()) // it may be a directory
			save(t, w.program(""), "p", func(*store.Record) {})
			w.wantStorage(store.StorageKeyring)
		})
	}
}

// A plain file can be read, so its metadata is never in doubt.
func TestMetaOfAPlainFileIsReadFromIt(t *testing.T) {
	w := newWorld(t)
	must(t, w.login(store.StorageFile, "c"))
	must(t, os.WriteFile(w.metaPath(), []byte("rubbish"), 0o600))
	if m := w.wantStorage(store.StorageFile); m.Provider != "clerk" {
		t.Errorf("Meta = %+v", m)
	}
	if runtime.GOOS == "windows" {
		return // Windows has no mode that opens it to others
	}
	must(t, os.Chmod(w.path(), 0o644))
	if _, err := w.program("").Meta("p"); !errors.Is(err, provider.ErrConfig) {
		t.Errorf("Meta of an open file = %v", err)
	}
}

func TestVerifiedIsWhenTheTokenWasStored(t *testing.T) {
	w := newWorld(t)
	must(t, w.login("", "c"))
	w.editMeta(`"verified":"`, `"verified":"2001-01-01T00:00:00Z","x":"`)
	save(t, w.program(""), "p", func(r *store.Record) { r.Provider = "other" })
	if got := w.wantStorage(store.StorageKeyring).Tokens["clerk/clerk/1"].Verified; got.Year() != 2001 {
		t.Errorf("the time of verification became %s, though the token is the same", got)
	}
	save(t, w.program(""), "p", func(r *store.Record) {
		token := r.Tokens["clerk/clerk/1"]
		token.Expires = token.Expires.Add(time.Minute)
		r.Tokens["clerk/clerk/1"] = token
	})
	if got := w.wantStorage(store.StorageKeyring).Tokens["clerk/clerk/1"].Verified; got.Year() == 2001 {
		t.Error("a new token has the old token's time of verification")
	}
}

func (w *world) editMeta(old, new string) {
	w.t.Helper()
	content := w.files()["p.meta"]
	if !strings.Contains(content, old) {
		w.t.Fatalf("no %s in %s", old, content)
	}
	must(w.t, os.WriteFile(w.metaPath(), []byte(strings.Replace(content, old, new, 1)), 0o600))
}

func TestListHasOnlyProfiles(t *testing.T) {
	s := store.New(t.TempDir())
	if list, err := s.List(); err != nil || list != nil {
		t.Errorf("List of nothing = %q, %v", list, err)
	}
	for _, name := range []string{"work", "a-meta", "default"} {
		save(t, s, name, func(*store.Record) {})
	}
	dir := filepath.Dir(s.Path("x"))
	for _, other := range []string{"default.json.damaged-20260103T033300Z", ".default.json.zen-123", "a.meta.json", "-x.json", "notes.txt"} {
		must(t, os.WriteFile(filepath.Join(dir, other), nil, 0o600))
	}
	if list, err := s.List(); err != nil || fmt.Sprint(list) != "[a-meta default work]" {
		t.Errorf("List = %q, %v", list, err)
	}
}

func FuzzMeta(f *testing.F) {
	f.Add([]byte(`{"schema_version":1,"profile":"p","storage":"keyring","tokens":{"k":{"verification":{"Issuer":"x"}}}}`))
	f.Add([]byte(`{"schema_version":1,"profile":"p","accounts":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		w := newWorld(t)
		must(t, w.login("", "c"))
		must(t, os.WriteFile(w.metaPath(), data, 0o600))
		m, err := w.program("").Meta("p")
		if err != nil || m.Doubt == nil || m.Storage != store.StorageKeyring {
			t.Errorf("Meta = %+v, %v", m, err)
		}
		m.Record()
	})
}
