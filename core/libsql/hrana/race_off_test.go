//go:build !race

package hrana_test

const manyRows = 1_000_000
