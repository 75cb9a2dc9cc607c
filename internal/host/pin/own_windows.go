package pin

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/zen-auth/zen/core/provider"
)

// writes are the rights to change a file, or who may change it.
const writes = windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER |
	windows.GENERIC_WRITE | windows.GENERIC_ALL

// checkOwn refuses a file that somebody else could have written: one that belongs to
// others than the user, the administrators and the system, or that lets others
// change it.
func checkOwn(f *os.File) error {
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
		return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("it belongs to %v, not to you", owner)}
	}
	list, _, err := descriptor.DACL()
	if err != nil || list == nil { // without a list everybody may do everything
		return &provider.Error{Kind: provider.ErrConfig, Message: "others may write to it"}
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
			return &provider.Error{
				Kind: provider.ErrConfig, Message: fmt.Sprintf("%v may write to it", sid),
				Hint: "look at what is in it, then take that right away: icacls",
			}
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
