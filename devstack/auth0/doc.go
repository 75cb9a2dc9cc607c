// Package auth0 is an Auth0 tenant over plain HTTP, for native applications, devices,
// token verifiers and the person at the browser, with real RS256 keys and signatures.
//
// # What is served
//
//	GET  /.well-known/openid-configuration, /.well-known/jwks.json
//	GET  /authorize                    code with PKCE S256, redirect matched exactly
//	POST /oauth/token                  authorization_code, refresh_token, device_code,
//	                                   client_credentials (secret or private_key_jwt)
//	POST /oauth/device/code
//	POST /oauth/revoke
//	GET  /userinfo
//	GET  /activate                     where a person types a device's code
//	GET  /oidc/logout, /v2/logout
//	     /u/…                          sign-in, organization, confirmation
//	     /api/v2/…                     the Management API: an application's callbacks and
//	                                   grants, client grants, Actions and their flows
//
// # Faithfulness
//
// Parameters, statuses and texts follow Auth0's documentation of August 2026, and what
// its SDKs and their users report of errors that it leaves out. Where neither says
// anything, the comment at the code marks the answer as an assumption or a choice. Its
// paths are those of an issuer's root, so it wants a port of its own.
package auth0
