package install

import (
	"cmp"
	"strconv"
	"strings"
)

// Older reports whether version a comes before b, as semantic versions do, with or
// without a leading v.
func Older(a, b string) bool {
	a, b = strings.TrimPrefix(a, "v"), strings.TrimPrefix(b, "v")
	a, _, _ = strings.Cut(a, "+") // build metadata has no order
	b, _, _ = strings.Cut(b, "+")
	coreA, preA, _ := strings.Cut(a, "-")
	coreB, preB, _ := strings.Cut(b, "-")
	if c := compareParts(coreA, coreB); c != 0 {
		return c < 0
	}
	if preA == "" || preB == "" {
		return preA != "" // 1.0.0-rc.1 comes before 1.0.0
	}
	return compareParts(preA, preB) < 0
}

// compareParts compares what is between dots: numbers by value and before words, a
// longer list after its beginning.
func compareParts(a, b string) int {
	partsA, partsB := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(partsA), len(partsB)) {
		x, errX := strconv.ParseUint(partsA[i], 10, 64)
		y, errY := strconv.ParseUint(partsB[i], 10, 64)
		c := strings.Compare(partsA[i], partsB[i])
		switch {
		case errX == nil && errY == nil:
			c = cmp.Compare(x, y)
		case errX == nil:
			c = -1
		case errY == nil:
			c = 1
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(partsA), len(partsB))
}
