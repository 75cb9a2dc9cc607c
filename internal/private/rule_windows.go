package private

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"
)

func open(path string, flag int, _ bool) (f *os.File, err error) {
	err = patiently(func() error {
		f, err = openShared(path, flag)
		return err
	})
	return f, err
}

// openShared opens a file so that it can be renamed and removed meanwhile, which a file of
// os.OpenFile can't. What it makes is closed to others.
func openShared(path string, flag int) (*os.File, error) {
	failed := func(err error) (*os.File, error) { return nil, &os.PathError{Op: "open", Path: path, Err: err} }
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return failed(err)
	}
	access := uint32(windows.GENERIC_READ)
	switch {
	case flag&os.O_APPEND != 0:
		access = windows.FILE_GENERIC_WRITE &^ windows.FILE_WRITE_DATA // each write is at the end
	case flag&os.O_RDWR != 0:
		access |= windows.GENERIC_WRITE
	case flag&os.O_WRONLY != 0:
		access = windows.GENERIC_WRITE
	}
	if flag&os.O_RDWR != 0 {
		access |= windows.GENERIC_READ
	}
	disposition := uint32(windows.OPEN_EXISTING)
	var attributes *windows.SecurityAttributes
	if flag&os.O_CREATE != 0 {
		disposition = windows.OPEN_ALWAYS
		if flag&os.O_EXCL != 0 {
			disposition = windows.CREATE_NEW
		}
		if attributes, err = closed(); err != nil {
			return failed(err)
		}
	}
	handle, err := windows.CreateFile(name, access, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE,
		attributes, disposition, windows.FILE_ATTRIBUTE_NORMAL|windows.FILE_FLAG_BACKUP_SEMANTICS, 0) // also a directory, to say that it is one
	if err != nil {
		return failed(err)
	}
	return os.NewFile(uintptr(handle), path), nil
}

// create makes a file, with an access list of its own where its mode lets no one else in.
// Others have the one of the directory.
func create(name string, mode fs.FileMode) (*os.File, error) {
	const flag = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if mode&0o077 == 0 {
		return openShared(name, flag)
	}
	return os.OpenFile(name, flag, mode)
}

// closed lets in the user of this process, the administrators and the system, whatever the
// directory's list says.
var closed = sync.OnceValues(func() (*windows.SecurityAttributes, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, fmt.Errorf("read who this is: %w", err)
	}
	descriptor, err := windows.SecurityDescriptorFromString("D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;" + user.User.Sid.String() + ")")
	if err != nil {
		return nil, err
	}
	attributes := &windows.SecurityAttributes{SecurityDescriptor: descriptor}
	attributes.Length = uint32(unsafe.Sizeof(*attributes))
	return attributes, nil
})

// Closed says how a file of Replace is closed to others, for people.
const Closed = "closed to others"

// Closing returns the command that closes a file or a directory to others, in cmd and
// PowerShell alike.
func (f *Fault) Closing(path string) string {
	command := `icacls "` + path + `" /inheritance:r`
	if f.Owner != "" && !f.Foreign {
		command += ` /remove:g "` + f.Owner + `"`
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return command
	}
	return command + ` /grant:r "` + account(user.User.Sid) + `:F"`
}

// The rights to change a file, or who may change it; and to read it.
const (
	writes = windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER |
		windows.GENERIC_WRITE | windows.GENERIC_ALL
	reads = windows.FILE_READ_DATA | windows.GENERIC_READ
)

// Check looks at the access list of an opened file: what others may not do, no one may but
// the user, the administrators and the system, of whom one has to be its owner.
func (r Rule) Check(f *os.File) error {
	if r.Closed == 0 {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	descriptor, err := windows.GetSecurityInfo(windows.Handle(f.Fd()), windows.SE_FILE_OBJECT,
		windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("read who may use it: %w", err)
	}
	trusted, err := trustedSIDs()
	if err != nil {
		return err
	}
	owner, _, err := descriptor.Owner()
	switch {
	case err != nil || owner == nil:
		return &Fault{Mode: info.Mode(), Foreign: true, Owner: "nobody"}
	case !trusted(owner):
		return &Fault{Mode: info.Mode(), Foreign: true, Owner: account(owner)}
	}
	list, _, err := descriptor.DACL()
	if err != nil || list == nil { // without a list everybody may do everything
		return &Fault{Mode: info.Mode(), Readable: true, Writable: true}
	}
	return r.checkList(list, info.Mode(), trusted)
}

// checkList looks at the entries of an access list. Those that deny may stay.
func (r Rule) checkList(list *windows.ACL, mode fs.FileMode, trusted func(*windows.SID) bool) error {
	// Of the types of x/sys/windows that allow. An entry of the second has a condition
	// behind its identifier, which is taken to hold.
	const allowedCallback = 9
	deny := []uint8{windows.ACCESS_DENIED_ACE_TYPE, 6, 10, 12} // for an object, with a condition, both
	for i := range uint32(list.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(list, i, &ace); err != nil {
			return fmt.Errorf("read who may use it: %w", err)
		}
		if slices.Contains(deny, ace.Header.AceType) || ace.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0 {
			continue
		}
		fault := &Fault{Mode: mode, Writable: ace.Mask&writes != 0, Readable: r.Closed&0o044 != 0 && ace.Mask&reads != 0}
		if !fault.Writable && !fault.Readable {
			continue
		}
		if t := ace.Header.AceType; t != windows.ACCESS_ALLOWED_ACE_TYPE && t != allowedCallback {
			fault.Owner = fmt.Sprintf("an entry of type %d", t) // whose identifier is elsewhere
			return fault
		}
		if sid := (*windows.SID)(unsafe.Pointer(&ace.SidStart)); !trusted(sid) {
			fault.Owner = account(sid)
			return fault
		}
	}
	return nil
}

// account returns the name of an identifier's account, or the identifier.
func account(sid *windows.SID) string {
	name, domain, _, err := sid.LookupAccount("")
	switch {
	case err != nil || name == "":
		return "*" + sid.String() // as icacls takes it
	case domain == "":
		return name
	}
	return domain + `\` + name
}

// trustedSIDs returns the user of this process, the administrators and the system.
func trustedSIDs() (func(*windows.SID) bool, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, fmt.Errorf("read who this is: %w", err)
	}
	return func(sid *windows.SID) bool {
		return sid.Equals(user.User.Sid) || sid.IsWellKnown(windows.WinBuiltinAdministratorsSid) || sid.IsWellKnown(windows.WinLocalSystemSid)
	}, nil
}

// CheckInfo knows nothing: mode bits say nothing about who may write to a file here.
func (r Rule) CheckInfo(fs.FileInfo) error { return nil }

// Owned is false: nothing here shows it.
func Owned(fs.FileInfo) bool { return false }
