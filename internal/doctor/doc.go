// Package doctor finds out what is wrong between a sign-in and a database, and says what
// to do about it.
//
// It checks one layer after the other, from the program's own files to the plan of the
// database's owner. A layer that depends on one that failed is skipped, and the finding
// says why; all other layers are still checked. The first finding that isn't ok is the
// deepest cause.
//
// Checking changes nothing, except that a token may be renewed, as with any other command.
package doctor
