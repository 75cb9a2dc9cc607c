// Package clerk is a Clerk instance over plain HTTP: the part of Clerk that a
// native client, a bridge page and a verifier of its tokens meet, with real
// RS256 keys and signatures.
//
// # What is served
//
// At the root, the Frontend API as a native client uses it (query _is_native=1,
// the client JWT in Authorization) and the key set:
//
//	GET    /.well-known/jwks.json
//	GET    /v1/client, POST and PUT /v1/client, DELETE /v1/client
//	POST   /v1/client/sign_ins                          ticket, password, email_code
//	GET    /v1/client/sign_ins/{id}
//	POST   /v1/client/sign_ins/{id}/prepare_first_factor
//	POST   /v1/client/sign_ins/{id}/attempt_first_factor
//	GET    /v1/client/sessions/{id}, DELETE /v1/client/sessions
//	POST   /v1/client/sessions/{id}/touch, /end, /remove
//	POST   /v1/client/sessions/{id}/tokens, /tokens/{template}
//	GET    /v1/me
//
// Under [BackendPrefix], the Backend API, which at Clerk lives on a host of its
// own (api.clerk.com) and asks for the secret key:
//
//	GET    /jwks
//	POST   /sign_in_tokens, /sign_in_tokens/{id}/revoke
//	GET    /sessions, POST /sessions, GET /sessions/{id}
//	POST   /sessions/{id}/revoke, /sessions/{id}/tokens, /tokens/{template}
//	GET    /users, /users/count, /users/{id}
//
// # Faithfulness
//
// Paths, parameters, status codes, error codes and texts follow Clerk's OpenAPI
// descriptions of 2026-05-12 and its published error catalogue. Where those are
// silent the comment at the code says what was chosen and that it is a choice.
// Cookies and development browsers are not served: a request without
// _is_native=1 is told so, as Clerk tells an unknown browser.
package clerk
