// Package hrana serves SQL as libSQL's clients speak it: Hrana 2 and 3 over HTTP, at
// /v2/pipeline, /v3/pipeline and /v3/cursor, and Hrana 1 to 3 over WebSockets, at /.
//
// The protocol is HRANA_3_SPEC.md of tursodatabase/libsql. Where the specification
// leaves room, this package does what libsql-server does: status codes, the text
// and code of each error, which of them are in band, when a stream expires.
//
// A [Server] knows nothing about tokens. It asks its [Backend] which database a
// request may use and how.
package hrana
