package private_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/zen-auth/zen/internal/private"
)

// grant gives everybody rights in the directory or file, written as in an access list: FA is
// full access, FR is read access.
func grant(t *testing.T, path, rights string) {
	t.Helper()
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		t.Fatal(err)
	}
	descriptor, err := windows.SecurityDescriptorFromString("D:P(A;OICI;" + rights + ";;;WD)(A;OICI;FA;;;" + user.User.Sid.String() + ")")
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := descriptor.DACL()
	if err != nil {
		t.Fatal(err)
	}
	if err := windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil); err != nil {
		t.Fatal(err)
	}
}

// Files that zen writes are closed to others in any directory, like mode 0600 on Unix.
func TestReplaceAndOpenCloseFilesInAnOpenDirectory(t *testing.T) {
	dir := t.TempDir()
	grant(t, dir, "FA")
	replaced, made, open := filepath.Join(dir, "replaced"), filepath.Join(dir, "made"), filepath.Join(t.TempDir(), "open")
	if err := private.Replace(replaced, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := private.Replace(open, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := private.Secret.Open(made, os.O_WRONLY|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	for _, path := range []string{replaced, made} {
		f, err := private.Secret.Open(path, os.O_RDONLY)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		f.Close()
	}
	grant(t, open, "FR")
	for path, test := range map[string]struct {
		rights, want string
		rule         private.Rule
	}{
		open:     {"FR", "others can read it", private.Secret},
		replaced: {"FA", "others may write to it", private.Trusted},
		made:     {"FA", "others may write to it", private.Own},
	} {
		grant(t, path, test.rights)
		_, err := test.rule.Open(path, os.O_RDONLY)
		var fault *private.Fault
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), test.want+" (by its access list ") || strings.Contains(err.Error(), "S-1-") {
			t.Errorf("Open(%s): %v", path, err)
			continue
		}
		if got := fault.Closing(path); !strings.HasPrefix(got, `icacls "`+path+`" /inheritance:r /remove:g "`+fault.Owner+`" /grant:r "`) {
			t.Errorf("Closing = %s", got)
		}
	}
	f, err = private.Trusted.Open(open, os.O_RDONLY)
	if err != nil {
		t.Fatalf("a file that everybody may read, but not write, is refused: %v", err)
	}
	f.Close()
}
