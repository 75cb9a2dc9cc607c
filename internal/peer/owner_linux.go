package peer

import (
	"bufio"
	"encoding/hex"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Known reports whether this system shows which user a connection belongs to.
const Known = true

// owner returns who owns the socket that is bound to local and connected to remote, as
// proc(5) has it in /proc/net/tcp and tcp6.
func owner(local, remote netip.AddrPort) (uid int, known bool) {
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(name)
		if err != nil {
			continue
		}
		uid, known = find(bufio.NewScanner(f), local, remote)
		f.Close()
		if known {
			return uid, true
		}
	}
	return 0, false
}

func find(lines *bufio.Scanner, local, remote netip.AddrPort) (uid int, known bool) {
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 8 {
			continue
		}
		l, ok := parse(fields[1])
		if !ok || l != unmapped(local) {
			continue
		}
		if r, ok := parse(fields[2]); !ok || r != unmapped(remote) {
			continue
		}
		uid, err := strconv.Atoi(fields[7])
		return uid, err == nil
	}
	return 0, false
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// parse reads an address as the kernel prints it: words of 32 bits in the machine's
// order, which is little-endian on all that zen is built for.
func parse(text string) (netip.AddrPort, bool) {
	host, port, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(port, 16, 16)
	raw, hexErr := hex.DecodeString(host)
	if err != nil || hexErr != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		slices.Reverse(raw[i : i+4])
	}
	addr, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(addr.Unmap(), uint16(n)), ok
}
