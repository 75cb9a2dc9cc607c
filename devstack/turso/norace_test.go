//go:build !race

package turso

const raceEnabled = false
