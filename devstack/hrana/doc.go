// Package hrana serves SQL over HTTP as libSQL's clients speak it: Hrana 2 and 3,
// JSON encoding, at /v2/pipeline, /v3/pipeline and /v3/cursor.
//
// The protocol is HRANA_3_SPEC.md of tursodatabase/libsql. Where the specification
// leaves room, this package does what libsql-server does: status codes, the text
// and code of each error, which of them are in band, when a stream expires.
//
// A [Server] knows nothing about tokens. It asks its [Backend] which database a
// request may use and how.
package hrana
