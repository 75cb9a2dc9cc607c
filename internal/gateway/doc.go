// Package gateway is an HTTP server on the loopback that programs use in place of
// their database: it forwards Hrana, the sync protocol and dumps, and puts the
// session's token on each request through the transport that it is given. Over a
// WebSocket the token is in a message, the hello, which the gateway writes itself.
//
// A client shows the gateway's own bearer, which is random and worth nothing
// elsewhere; of what else it sends, only the headers of the protocols go on, so that
// no cookie and no token of its own ever reaches the database. What comes back can't
// lead the client away: redirects are refused, and a base_url is rewritten to the
// gateway's address, or refused when it names another host.
//
// The embedded replica runs one in its own process for go-libsql, which fixes the
// token when it opens a database; zen proxy runs one for programs in any language.
package gateway
