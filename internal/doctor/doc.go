// Package doctor finds out what is wrong between a sign-in and a database, and says what
// to do about it.
//
// It looks in layers, from the program's own files to the plan of the database's owner.
// A layer that needs another one, which failed, is skipped with the reason; what can
// still be asked is asked. The first finding that isn't ok is the deepest cause.
//
// Nothing is changed by looking, but that a token may be renewed as any use does it.
package doctor
