package wire

// buf compiles the .proto files without a protoc binary; the generators are pinned
// in tools/go.mod, apart, because they need a hundred modules that zen does not.

//go:generate go tool -modfile=../../tools/go.mod buf lint ../../proto
//go:generate go tool -modfile=../../tools/go.mod buf generate ../../proto
