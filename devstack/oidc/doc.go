// Package oidc is an OpenID issuer like those that companies run: Keycloak, Authentik,
// Okta. Its address has a path, its access tokens are for itself, its refresh tokens stay
// the same, its device grant has RFC 8628's statuses: these are things that clients
// written only for Clerk and Auth0 would get wrong.
//
// # What is served, below the issuer's address
//
//	GET  /.well-known/openid-configuration, /keys
//	GET  /authorize                    code with PKCE S256; http on 127.0.0.1 or [::1] with any port
//	POST /token                        authorization_code, refresh_token, device_code
//	POST /device_authorization, /revoke
//	GET  /userinfo
//	GET  /logout
//	     /device, /ui/…                where a person types a device's code, signs in, allows
//
// It follows OpenID Connect Core and Discovery, RFC 6749, 7009, 7636, 8252 and 8628, and
// promises nothing else.
package oidc
