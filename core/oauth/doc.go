// Package oauth holds what providers of OAuth 2.0 and OpenID Connect issuers share, on
// top of golang.org/x/oauth2: the authorization code with PKCE in a browser, the
// device grant, the client-credentials grant with a secret or a signed assertion,
// refresh with rotation, revocation, and the metadata of an issuer. It is public because
// zen's own providers have no door that another author's lack: auth0, oidc and clerk
// are built on it.
//
//	metadata, err := oauth.Discover(ctx, "https://login.example/", oauth.DiscoverOptions{})
//	client := &oauth.Client{Name: "example", ID: clientID, Metadata: metadata}
//	err = client.Browser(ctx, host, oauth.BrowserOptions{Scopes: []string{"openid"}}, store)
//
// # What it holds an issuer to
//
// An answer has at most 1 MiB and 15 s. The issuer of a metadata document is the one
// that was asked for, to the letter and the trailing slash. Endpoints are https, or
// http on loopback. No redirect is followed. What decides about an error is its code
// (RFC 6749 section 5.2), never its text, and its status only if there is no code.
//
// # Errors
//
// All are *[provider.Error] with a class of package provider, and wrap an [*Error]
// where the issuer gave a code. A refusal counts as the issuer's word only in OAuth's
// form: a proxy's 403 must not end a sign-in. No error has a token, a code or a secret
// in it.
//
// # Concurrency
//
// A Client is safe for concurrent use as long as its fields are not changed. A refresh
// token that rotates is spent by [Client.Refresh]: the caller has to store the
// next one before anything else, and must not let two calls send the same one. Zen
// holds a lock of the profile around it.
package oauth
