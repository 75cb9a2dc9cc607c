package jsonobject

import (
	"encoding/binary"
	"math/bits"
)

// maxDepth is encoding/json's limit of nested values.
const maxDepth = 10000

// valid reports what json.Valid does. That one calls a function for each byte: of a
// credentials file with a thousand tokens it took 3 of 5 ms.
func valid(text []byte) bool {
	end := checkValue(text, pastSpace(text, 0), 1)
	return end >= 0 && pastSpace(text, end) == len(text)
}

// checkValue returns the end of the value that begins at i, or -1 if none does.
func checkValue(text []byte, i, depth int) int {
	if i == len(text) {
		return -1
	}
	switch c := text[i]; c {
	case '"':
		return checkString(text, i)
	case '{', '[':
		return checkNested(text, i, depth)
	case 't':
		return checkWord(text, i, "true")
	case 'f':
		return checkWord(text, i, "false")
	case 'n':
		return checkWord(text, i, "null")
	default:
		return checkNumber(text, i)
	}
}

// checkNested is checkValue for an object or a list.
func checkNested(text []byte, i, depth int) int {
	object, closing := text[i] == '{', text[i]+2
	if depth > maxDepth {
		return -1
	}
	if i = pastSpace(text, i+1); i < len(text) && text[i] == closing {
		return i + 1
	}
	for {
		if object {
			if i == len(text) || text[i] != '"' {
				return -1
			}
			if i = checkString(text, i); i < 0 {
				return -1
			}
			if i = pastSpace(text, i); i == len(text) || text[i] != ':' {
				return -1
			}
			i = pastSpace(text, i+1)
		}
		if i = checkValue(text, i, depth+1); i < 0 {
			return -1
		}
		if i = pastSpace(text, i); i == len(text) {
			return -1
		}
		switch text[i] {
		case closing:
			return i + 1
		case ',':
			i = pastSpace(text, i+1)
		default:
			return -1
		}
	}
}

func pastSpace(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n') {
		i++
	}
	return i
}

func checkWord(text []byte, i int, word string) int {
	if len(text)-i < len(word) || string(text[i:i+len(word)]) != word {
		return -1
	}
	return i + len(word)
}

// checkNumber takes numbers as RFC 8259 section 6 has them.
func checkNumber(text []byte, i int) int {
	if text[i] == '-' {
		i++
	}
	from := i
	if i = pastDigits(text, i); i == from || text[from] == '0' && i > from+1 {
		return -1
	}
	if i < len(text) && text[i] == '.' {
		from = i + 1
		if i = pastDigits(text, from); i == from {
			return -1
		}
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		if i++; i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		from = i
		if i = pastDigits(text, from); i == from {
			return -1
		}
	}
	return i
}

func pastDigits(text []byte, i int) int {
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		i++
	}
	return i
}

// checkString is checkValue for a string. Like encoding/json it takes any bytes for UTF-8.
func checkString(text []byte, i int) int {
	for i++; ; {
		i = special(text, i)
		switch {
		case i == len(text):
			return -1
		case text[i] == '"':
			return i + 1
		case text[i] != '\\' || i+1 == len(text):
			return -1 // a control character
		}
		switch text[i+1] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			i += 2
		case 'u':
			if i += 2; len(text)-i < 4 {
				return -1
			}
			for end := i + 4; i < end; i++ {
				if c := text[i] | 0x20; (c < 'a' || c > 'f') && (text[i] < '0' || text[i] > '9') {
					return -1
				}
			}
		default:
			return -1
		}
	}
}

// special returns the first place from i on of a quote, a backslash or a control character.
// It looks at eight bytes at a time: of the lowest byte that is one, the highest bit is set
// in found, and of no byte below it.
func special(text []byte, i int) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for ; len(text)-i >= 8; i += 8 {
		eight := binary.LittleEndian.Uint64(text[i:])
		quote, backslash := eight^ones*'"', eight^ones*'\\'
		found := ((quote-ones)&^quote | (backslash-ones)&^backslash | (eight-ones*' ')&^eight) & high
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(text) && text[i] != '"' && text[i] != '\\' && text[i] >= ' ' {
		i++
	}
	return i
}
