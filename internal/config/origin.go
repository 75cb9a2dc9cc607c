package config

import "fmt"

// Kind is the layer that a value came from.
type Kind string

// The layers, from the strongest. The zero Kind is a value that is not set.
const (
	KindArgument    Kind = "argument" // of the caller, for a profile alone
	KindFlag        Kind = "flag"
	KindEnvironment Kind = "environment"
	KindProjectFile Kind = "project file"
	KindUserFile    Kind = "user file"
	KindDefault     Kind = "default"
)

// Origin says where a value came from.
type Origin struct {
	Kind Kind
	// Name is the flag with its dashes, or the variable.
	Name string
	// File and Line (from 1) are set for the two kinds of files.
	File string
	Line int
}

// String returns "flag --provider", "environment ZEN_PROVIDER", "project file
// /x/.zen.toml:3", "user file /y/config.toml:7" or "default".
func (o Origin) String() string {
	switch o.Kind {
	case "":
		return "not set"
	case KindFlag, KindEnvironment:
		return string(o.Kind) + " " + o.Name
	case KindProjectFile, KindUserFile:
		return fmt.Sprintf("%s %s:%d", o.Kind, o.File, o.Line)
	}
	return string(o.Kind)
}

// Value is a value and where it came from.
type Value[T any] struct {
	Value  T
	Origin Origin
}

// IsSet reports whether any layer, the default included, has the value.
func (v Value[T]) IsSet() bool { return v.Origin.Kind != "" }

// or returns v, or next where v is not set.
func (v Value[T]) or(next Value[T]) Value[T] {
	if v.IsSet() {
		return v
	}
	return next
}
