package private

import (
	"errors"
	"testing"

	"golang.org/x/sys/windows"
)

// Every type of entry that isn't known to deny access is treated as granting it.
func TestCheckListSeesEveryTypeOfEntry(t *testing.T) {
	descriptor, err := windows.SecurityDescriptorFromString("D:P(A;;FA;;;WD)")
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := descriptor.DACL()
	if err != nil {
		t.Fatal(err)
	}
	var entry *windows.ACCESS_ALLOWED_ACE
	if err := windows.GetAce(list, 0, &entry); err != nil {
		t.Fatal(err)
	}
	trusted, err := trustedSIDs()
	if err != nil {
		t.Fatal(err)
	}
	for kind, denies := range map[uint8]bool{0: false, 1: true, 4: false, 5: false, 6: true, 9: false, 10: true, 11: false, 12: true, 99: false} {
		entry.Header.AceType = kind
		err := Secret.checkList(list, 0o600, trusted)
		var fault *Fault
		if errors.As(err, &fault) == denies {
			t.Errorf("type %d: %v", kind, err)
		}
	}
}
