package clerk

import "github.com/zen-auth/zen/devstack/random"

// newID makes an id as Clerk's look: a prefix and 27 base62 characters.
func newID(prefix string) string { return prefix + "_" + random.String(27) }

// newJTI makes the 20 hexadecimal digits of a token's jti.
func newJTI() string { return random.Hex(10) }

// newCode makes a six-digit one-time code.
func newCode() string { return random.Of("0123456789", 6) }
