// Package clerk is a Clerk instance over plain HTTP: the part of Clerk that a
// native client, a bridge page, a server and a verifier of its tokens meet, with
// real RS256 keys and signatures.
//
// # What is served
//
// At the root, the Frontend API as a native client uses it (query _is_native=1,
// the client JWT in Authorization) and the key set:
//
//	GET    /.well-known/jwks.json
//	GET    /v1/environment
//	GET    /v1/client, POST and PUT /v1/client, DELETE /v1/client
//	POST   /v1/client/sign_ins                          ticket, password, email_code
//	GET    /v1/client/sign_ins/{id}
//	POST   /v1/client/sign_ins/{id}/prepare_first_factor, /attempt_first_factor
//	POST   /v1/client/sign_ins/{id}/prepare_second_factor, /attempt_second_factor
//	GET    /v1/client/sessions/{id}, DELETE /v1/client/sessions
//	POST   /v1/client/sessions/{id}/touch, /end, /remove
//	POST   /v1/client/sessions/{id}/tokens, /tokens/{template}
//	GET    /v1/me, PATCH /v1/me, /v1/me/organization_memberships, /v1/me/organization_invitations
//	POST   /v1/me/organization_invitations/{id}/accept
//	GET    /v1/organizations/{id}
//	       /v1/organizations/{id}/memberships, /memberships/{user_id}
//	       /v1/organizations/{id}/invitations, /pending, /{id}/revoke
//	       /api_keys, /api_keys/{id}/revoke
//
// Clerk as an OAuth 2.0 and OpenID Connect provider, and the pages of its
// Account Portal, which at Clerk have a host of their own:
//
//	GET    /.well-known/oauth-authorization-server, /.well-known/openid-configuration
//	GET    /oauth/authorize, /oauth/userinfo
//	POST   /oauth/token, /oauth/token_info, /oauth/token/revoke
//	POST   /oauth/device_authorization                  see [Options.DeviceGrant]
//	       /accounts/…
//
// Under [BackendPrefix], the Backend API, which at Clerk lives on a host of its
// own (api.clerk.com) and asks for the secret key:
//
//	GET    /jwks
//	       /users, /users/count, /users/{id}, /metadata, /organization_memberships
//	       /users/{id}/ban, /unban, /lock, /unlock
//	       /sessions, /sessions/{id}, /revoke, /tokens, /tokens/{template}
//	       /sign_in_tokens, /sign_in_tokens/{id}/revoke
//	       /organizations, /organizations/{id}, /memberships, /invitations
//	       /jwt_templates, /jwt_templates/{id}
//	       /api_keys, /verify, /{id}, /{id}/secret, /{id}/revoke     also without /v1
//	       /m2m_tokens, /verify, /{id}/revoke                        also without /v1
//	       /oauth_applications, /oauth_applications/{id}, /rotate_secret
//	POST   /oauth_applications/access_tokens/verify                  also without /v1
//
// # Faithfulness
//
// Paths, parameters, status codes, error codes and texts follow Clerk's OpenAPI
// descriptions of 2026-05-12 and its published error catalogue. Where those are
// silent the comment at the code says what was chosen and that it is a choice.
// Cookies and development browsers are not served: a request without
// _is_native=1 is told so, as Clerk tells an unknown browser.
package clerk
