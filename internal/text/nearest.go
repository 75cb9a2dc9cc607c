// Package text is what zen knows about texts: which of several a slip of the finger
// meant.
package text

// Nearest returns the candidate that word is a slip of the finger for, or "" if none
// is: at most a third of its letters, and at least one, are wrong, missing, added or
// have changed places with their neighbour.
func Nearest(word string, candidates []string) string {
	best, least := "", max(1, len(word)/3)+1
	for _, candidate := range candidates {
		if d := distance(word, candidate); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// distance returns the one of optimal string alignment, in bytes: Levenshtein's, with two
// neighbours that have changed places as one mistake.
func distance(a, b string) int {
	// d[i][j] is the distance of a[:i] from b[:j].
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
