// Package ci is what a job of a CI system, or a program in a cloud, finds around it: an
// issuer that states which job it is, and the way to ask it.
//
// # What is served
//
// Below /ci/NAME each system has an issuer of its own, with a discovery document and the
// keys where that system has them:
//
//	github      GET  …/idtoken/…?api-version=2.0&audience=A   Authorization: Bearer
//	gitlab      (a variable of the job)
//	buildkite   POST …/v3/jobs/ID/oidc/tokens                 Authorization: Token
//	circleci    (a variable of the job)
//	google      GET  /computeMetadata/v1/instance/service-accounts/default/identity
//	kubernetes  (a file that is replaced before its token ends)
//	spiffe      (the Workload API on a socket)
//
// Google's metadata server is known by its host alone, hence the path at the root.
//
// # Faithfulness
//
// Claims, lifetimes and addresses follow the systems' documentation of August 2026 and,
// where that is silent, the source of their clients: @actions/toolkit, buildkite/agent,
// golang.org/x/oauth2/google. Of a statement's many claims those are there by which
// anyone decides; a few that only describe a run are left out.
package ci
