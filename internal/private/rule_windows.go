package private

import (
	"fmt"
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

func open(path string, flag int, _ bool) (f *os.File, err error) {
	err = patiently(func() error {
		f, err = os.OpenFile(path, flag, 0o600)
		return err
	})
	return f, err
}

// writes are the rights to change a file, or who may change it.
const writes = windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER |
	windows.GENERIC_WRITE | windows.GENERIC_ALL

// Check looks at the access list of an opened file. Secrets are below the user's
// profile, whose list keeps others out; what decides something may be anywhere, and
// must not belong to others than the user, the administrators and the system, nor let
// others change it.
func (r Rule) Check(f *os.File) error {
	if !r.Root || r.Closed == 0 {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	descriptor, err := windows.GetSecurityInfo(windows.Handle(f.Fd()), windows.SE_FILE_OBJECT,
		windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("read who may write to it: %w", err)
	}
	trusted, err := trustedSIDs()
	if err != nil {
		return err
	}
	owner, _, err := descriptor.Owner()
	if err != nil || owner == nil || !trusted(owner) {
		return &Fault{Mode: info.Mode(), Foreign: true, Owner: fmt.Sprint(owner)}
	}
	list, _, err := descriptor.DACL()
	if err != nil || list == nil { // without a list everybody may do everything
		return &Fault{Mode: info.Mode(), Writable: true}
	}
	for i := range uint32(list.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(list, i, &ace); err != nil {
			return fmt.Errorf("read who may write to it: %w", err)
		}
		if ace.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE || ace.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0 || ace.Mask&writes == 0 {
			continue
		}
		if sid := (*windows.SID)(unsafe.Pointer(&ace.SidStart)); !trusted(sid) {
			return &Fault{Mode: info.Mode(), Writable: true, Owner: sid.String()}
		}
	}
	return nil
}

// trustedSIDs are the user of this process, the administrators and the system.
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

// Owned is false: nothing here tells.
func Owned(fs.FileInfo) bool { return false }
