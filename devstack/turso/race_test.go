//go:build race

package turso

const raceEnabled = true
