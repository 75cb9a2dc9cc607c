package hrana

// isBare reports whether a byte can be part of a JSON number, true, false or null.
func isBare(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || c == '-' || c == '+' || c == '.' || c == 'E'
}

// validBare reports whether b is a JSON number or literal.
func validBare(b []byte) bool {
	switch string(b) {
	case "null", "true", "false":
		return true
	}
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	zero := len(b) > 0 && b[0] == '0'
	b, n := digits(b)
	if n == 0 || zero && n > 1 {
		return false
	}
	if len(b) > 0 && b[0] == '.' {
		if b, n = digits(b[1:]); n == 0 {
			return false
		}
	}
	if len(b) > 0 && b[0]|0x20 == 'e' {
		b = b[1:]
		if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
			b = b[1:]
		}
		if b, n = digits(b); n == 0 {
			return false
		}
	}
	return len(b) == 0
}

func digits(b []byte) (rest []byte, n int) {
	for n < len(b) && isDigit(b[n]) {
		n++
	}
	return b[n:], n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
