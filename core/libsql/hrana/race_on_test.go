//go:build race

package hrana_test

const manyRows = 50_000 // the engine is a hundred times slower
