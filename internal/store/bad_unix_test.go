//go:build unix

package store_test

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/zen-auth/zen/core/provider"
)

const goodPlain = `{"schema_version":1,"provider":"x","accounts":{},"tokens":{}}`

// badStores are stores that zen may find, with its error, and whether a login sets the file
// aside. If it doesn't, the user has to act first. Nothing is ever overwritten.
var badStores = map[string]struct {
	prepare func(w *world)
	kind    error // if nil, provider.ErrConfig
	want    string
	hint    string
	aside   bool
}{
	"empty":                       {content(""), nil, "is damaged (not the JSON that zen writes, 0 bytes)", "zen login --profile p sets it aside", true},
	"truncated":                   {content(goodPlain[:20]), nil, "is damaged (not the JSON that zen writes, 20 bytes)", "sets it aside", true},
	"two documents":               {content(goodPlain + goodPlain), nil, "is damaged", "sets it aside", true},
	"rubbish":                     {content("\x00\x01secret-in-rubbish"), nil, "is damaged", "sets it aside", true},
	"zeros":                       {content(strings.Repeat("\x00", 512)), nil, "is damaged", "sets it aside", true},
	"wrong type":                  {content(`{"schema_version":"secret-in-rubbish"}`), nil, "is damaged", "sets it aside", true},
	"a list":                      {content(`["secret-in-rubbish"]`), nil, "is damaged", "sets it aside", true},
	"no version":                  {content(`{}`), nil, "no schema_version", "sets it aside", true},
	"negative version":            {content(`{"schema_version":-1}`), nil, "no schema_version", "sets it aside", true},
	"future version":              {content(`{"schema_version":3}`), nil, "it has version 3 and this zen knows 2: use a newer zen", "sets it aside", true},
	"huge":                        {content(strings.Repeat(" ", 4<<20+1)), nil, "larger than 4 MiB", "sets it aside", true},
	"a copy from another profile": {content(`{"schema_version":1,"profile":"other"}`), nil, `it was copied from profile "other"`, "sets it aside", true},
	"sealed, truncated":           {sealed(func(s string) string { return s[:len(s)/2] }), nil, "is damaged", "sets it aside", true},
	"sealed, a bit flips":         {sealedField("sealed", flipped), nil, "its key doesn't open it", "sets it aside", true},
	"sealed, cut":                 {sealedField("sealed", func(s string) string { return s[:16] }), nil, "its key doesn't open it", "sets it aside", true},
	"sealed, no content":          {sealedField("sealed", func(string) string { return "" }), nil, "without a key's name or a content", "sets it aside", true},
	"sealed, no key":              {sealedField("key", func(string) string { return "" }), nil, "without a key's name", "sets it aside", true},
	"sealed, a path for a key": {sealedField("key", func(string) string { return "../../x" }), nil,
		"without a key's name", "sets it aside", true},
	"sealed, another version": {sealed(func(s string) string { return strings.Replace(s, `"schema_version":2`, `"schema_version":1`, 1) }), nil,
		"with the version of a plain file", "sets it aside", true},
	"sealed for another profile": {sealedField("profile", func(string) string { return "other" }), nil,
		`it was copied from profile "other"`, "sets it aside", true},
	"sealed, renamed in the file, too": {func(w *world) {
		must(w.t, w.login("", "secret-in-rubbish"))
		s := w.program("")
		data, err := os.ReadFile(s.Path("p"))
		must(w.t, err)
		for item, key := range w.ring.items { // and in the keyring
			w.ring.items[strings.Replace(item, "p/", "q/", 1)] = key
		}
		copied := strings.Replace(string(data), `"profile":"p"`, `"profile":"q"`, 1)
		must(w.t, os.WriteFile(s.Path("q"), []byte(copied), 0o600))
		must(w.t, os.Rename(s.Path("q"), s.Path("p")))
	}, nil, `it was copied from profile "q"`, "sets it aside", true},
	"sealed, key gone": {func(w *world) { must(w.t, w.login("", "c")); clear(w.ring.items) }, provider.ErrNoCredential,
		"it is sealed, and its key is not in this keyring", "zen login --profile p sets it aside", true},
	"sealed, other key": {func(w *world) {
		must(w.t, w.login("", "c"))
		for item := range w.ring.items {
			w.ring.items[item] = provider.NewSecret("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
		}
	}, nil, "its key doesn't open it", "sets it aside", true},
	"sealed, rubbish for a key": {func(w *world) {
		must(w.t, w.login("", "c"))
		for item := range w.ring.items {
			w.ring.items[item] = provider.NewSecret("secret-in-rubbish")
		}
	}, nil, "the item in the keyring is not a key of zen", "sets it aside", true},
	"sealed, keyring locked": {func(w *world) { must(w.t, w.login("", "c")); w.ring.down = errLocked }, provider.ErrUnavailable,
		"the keyring can't be used: locked", "unlock it", false},

	"group can read": {chmod(0o640), nil, "is open to others (mode 0640)", "chmod 600 ", false},
	"all can write":  {chmod(0o602), nil, "is open to others (mode 0602)", "chmod 600 ", false},
	"symbolic link": {func(w *world) {
		content(goodPlain)(w)
		must(w.t, os.Rename(w.path(), w.path()+".real"))
		must(w.t, os.Symlink(w.path()+".real", w.path()))
	}, nil, "is a symbolic link", "put the file itself there", false},
	"dangling link": {func(w *world) {
		content("")(w)
		must(w.t, os.Remove(w.path()))
		must(w.t, os.Symlink("nowhere", w.path()))
	},
		nil, "is a symbolic link", "put the file itself there", false},
	"directory": {special(func(path string) error { return os.Mkdir(path, 0o700) }), nil, "is a directory, not a regular file", "move it away", false},
	"named pipe": {special(func(path string) error { return syscall.Mkfifo(path, 0o600) }), nil,
		"is a named pipe, not a regular file", "move it away", false},
	"socket": {special(func(path string) error {
		_, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
		return err
	}), nil, "is a socket, not a regular file", "move it away", false},
	"device file": {root(special(func(path string) error { return syscall.Mknod(path, syscall.S_IFCHR|0o600, 1<<8|5) })), nil,
		"is a device, not a regular file", "move it away", false},
	"another user's file": {root(func(w *world) { content(goodPlain)(w); must(w.t, os.Chown(w.path(), 12345, -1)) }), nil,
		"belongs to user 12345, not to you", "run zen as that user", false},

	"others may write to its directory": {func(w *world) { content(goodPlain)(w); must(w.t, os.Chmod(filepath.Dir(w.path()), 0o770)) }, nil,
		"others may write to", "chmod 700 ", false},
	"its directory is a link": {func(w *world) {
		content(goodPlain)(w)
		dir := filepath.Dir(w.path())
		must(w.t, os.Rename(dir, dir+".real"))
		must(w.t, os.Symlink(dir+".real", dir))
	}, nil, "is a symbolic link", "replace it by the directory itself", false},
	"its directory is another user's": {root(func(w *world) { content(goodPlain)(w); must(w.t, os.Chown(filepath.Dir(w.path()), 12345, -1)) }), nil,
		"belongs to user 12345, not to you", "run zen as that user", false},
	"its directory is a file": {func(w *world) { must(w.t, os.WriteFile(filepath.Dir(w.path()), nil, 0o600)) }, nil,
		"is not a directory", "move it away", false},
}

func content(s string) func(*world) {
	return func(w *world) {
		must(w.t, os.MkdirAll(filepath.Dir(w.path()), 0o700))
		w.overwrite(s)
	}
}

func chmod(mode os.FileMode) func(*world) {
	return func(w *world) { content(goodPlain)(w); must(w.t, os.Chmod(w.path(), mode)) }
}

func special(make func(path string) error) func(*world) {
	return func(w *world) {
		must(w.t, os.MkdirAll(filepath.Dir(w.path()), 0o700))
		must(w.t, make(w.path()))
	}
}

// root skips the test without root's rights.
func root(prepare func(*world)) func(*world) {
	return func(w *world) {
		if os.Geteuid() != 0 {
			w.t.Skip("SKIPPED: only root can make this one")
		}
		prepare(w)
	}
}

// sealed writes a sealed file and changes its content.
func sealed(change func(string) string) func(*world) {
	return func(w *world) {
		must(w.t, w.login("", "secret-in-rubbish"))
		w.overwrite(change(w.files()["p.json"]))
	}
}

func sealedField(name string, change func(string) string) func(*world) {
	return sealed(func(s string) string {
		var file map[string]any
		if json.Unmarshal([]byte(s), &file) != nil {
			panic(s)
		}
		file[name] = change(file[name].(string))
		out, _ := json.Marshal(file)
		return string(out)
	})
}

func flipped(s string) string {
	b := []byte(s)
	other := byte('A') // still base64
	if b[len(b)/2] == other {
		other = 'B'
	}
	b[len(b)/2] = other
	return string(b)
}
