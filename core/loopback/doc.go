// Package loopback receives the one callback of a browser sign-in on 127.0.0.1
// (RFC 8252 section 7.3).
//
// The browser's request is held open until the caller has exchanged, verified and
// stored what came with it, so that the page says what is true:
//
//	l, err := loopback.Listen(ctx, loopback.Options{})
//	// open a page with l.RedirectURL() and l.State()
//	callback, err := l.Wait(ctx)
//	// exchange callback.Get("code")
//	callback.Succeed("Signed in as alice.")
//
// WaitOrPaste waits for a line from a terminal, too: a browser on another machine
// can't open the callback, but its user can copy the address.
//
// A request without the right state is answered with 400 and changes nothing: any
// page in any browser can send one, and must not be able to end a person's
// sign-in. After the result, the browser is sent on to a path without a query, so
// that no code stays in the address bar or the history.
package loopback
