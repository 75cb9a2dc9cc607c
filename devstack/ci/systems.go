package ci

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// newGitLab is GitLab CI: a job declares id_tokens, each with an audience, and finds
// them in its variables (docs.gitlab.com, OpenID Connect in GitLab CI/CD).
func newGitLab(s *Service) *issuer {
	j := s.opts.Job
	project := j.Owner + "/" + j.Repository
	return s.define(issuer{
		name: "gitlab", keysPath: "/oauth/discovery/keys", lifetime: time.Hour, early: 5 * time.Second,
		claims: func(string) map[string]any {
			claims := map[string]any{
				"sub":          "project_path:" + project + ":ref_type:branch:ref:" + j.branch(),
				"namespace_id": strconv.FormatInt(j.OwnerID, 10), "namespace_path": j.Owner,
				"project_id": strconv.FormatInt(j.RepositoryID, 10), "project_path": project, "project_visibility": "private",
				"user_id": "12", "user_login": j.Actor, "user_email": j.ActorEmail, "user_access_level": "developer",
				"pipeline_id": "1012", "pipeline_source": j.Event, "job_id": "1023", "ref": j.branch(), "ref_type": "branch", "ref_path": j.Ref,
				"ref_protected": "true", "sha": j.SHA, "runner_id": 1, "runner_environment": "gitlab-hosted",
				"ci_config_ref_uri": "gitlab.example.test/" + project + "//.gitlab-ci.yml@" + j.Ref, "ci_config_sha": j.SHA,
			}
			if j.Environment != "" {
				claims["environment"], claims["environment_protected"], claims["deployment_tier"] = j.Environment, "true", "production"
			}
			return claims
		},
	})
}

// newBuildkite is Buildkite (buildkite.com/docs/agent/cli/reference/oidc).
func newBuildkite(s *Service) *issuer {
	j := s.opts.Job
	return s.define(issuer{
		name: "buildkite", keysPath: "/.well-known/jwks", lifetime: 5 * time.Minute, audience: "https://buildkite.com/" + j.Owner,
		claims: func(string) map[string]any {
			return map[string]any{
				"sub":               "organization:" + j.Owner + ":pipeline:" + j.Repository + ":ref:" + j.Ref + ":commit:" + j.SHA + ":step:deploy",
				"organization_slug": j.Owner, "pipeline_slug": j.Repository, "build_number": 10, "build_branch": j.branch(), "build_tag": nil,
				"build_commit": j.SHA, "build_source": "webhook", "step_key": "deploy", "job_id": s.jobID, "agent_id": s.jobID,
				"runner_environment": "self-hosted",
			}
		},
	})
}

// buildkiteRequest answers buildkite-agent oidc request-token (buildkite/agent,
// api/oidc.go).
func (s *Service) buildkiteRequest(w http.ResponseWriter, r *http.Request) {
	if s.refuse(w) {
		return
	}
	if !bearer(r, "Token", s.agentToken) {
		w.WriteHeader(http.StatusUnauthorized)
		writeJSON(w, map[string]any{"message": "Invalid access token"})
		return
	}
	var request struct {
		Audience string `json:"audience"`
	}
	err := json.NewDecoder(io.LimitReader(r.Body, 64<<10)).Decode(&request)
	if err != nil || r.PathValue("id") != s.jobID {
		w.WriteHeader(http.StatusNotFound)
		writeJSON(w, map[string]any{"message": "No job found"})
		return
	}
	token, err := s.Token("buildkite", request.Audience)
	if err != nil {
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	writeJSON(w, map[string]any{"token": token})
}

// newCircleCI is CircleCI, which has an issuer for each organization
// (circleci.com/docs/openid-connect-tokens). Its tokens are for the organization unless a
// job has its CLI ask for another audience.
func newCircleCI(s *Service) *issuer {
	j := s.opts.Job
	organization, project := stableUUID(j.OwnerID), stableUUID(j.RepositoryID)
	origin := "github.com/" + j.Owner + "/" + j.Repository
	return s.define(issuer{
		name: "circleci", path: "/ci/circleci/org/" + organization, keysPath: "/.well-known/jwks-pub.json", lifetime: time.Hour, early: -1,
		audience: organization,
		claims: func(string) map[string]any {
			return map[string]any{
				"sub":                          "org/" + organization + "/project/" + project + "/user/" + stableUUID(12) + "/vcs-origin/" + origin + "/vcs-ref/" + j.Ref,
				"oidc.circleci.com/project-id": project, "oidc.circleci.com/context-ids": []string{}, "oidc.circleci.com/job-id": s.jobID,
				"oidc.circleci.com/vcs-origin": origin, "oidc.circleci.com/vcs-ref": j.Ref, "oidc.circleci.com/ssh-rerun": false,
			}
		},
	})
}

// stableUUID returns the same UUID for the same id.
func stableUUID(id int64) string { return fmt.Sprintf("00000000-0000-4000-a000-%012d", id) }

// metadataPath is the path at which Google's metadata server answers.
const metadataPath = "/computeMetadata/"

// newGoogle returns a service account on Google Cloud (cloud.google.com, Verify the identity
// of a VM).
func newGoogle(s *Service) *issuer {
	email := s.opts.Job.ServiceAccount + "@" + s.opts.Job.Owner + ".iam.gserviceaccount.com"
	return s.define(issuer{
		name: "google", keysPath: "/oauth2/v3/certs", lifetime: time.Hour, early: -1,
		claims: func(string) map[string]any {
			return map[string]any{
				"sub": "100000000000000000012", "azp": "100000000000000000012", "email": email, "email_verified": true,
				"google": map[string]any{"compute_engine": map[string]any{
					"project_id": s.opts.Job.Owner, "project_number": s.opts.Job.OwnerID, "zone": "europe-west3-a", "instance_name": "ci",
				}},
			}
		},
	})
}

// googleRequest answers as the metadata server, to requests with the header that it demands.
func (s *Service) googleRequest(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Metadata-Flavor", "Google")
	w.Header().Set("Server", "Metadata Server for VM")
	if s.refuse(w) {
		return
	}
	audience := r.URL.Query().Get("audience")
	switch {
	case r.Header.Get("Metadata-Flavor") != "Google" || r.Header.Get("X-Forwarded-For") != "":
		http.Error(w, "Missing Metadata-Flavor:Google header.", http.StatusForbidden)
		return
	case r.PathValue("account") != "default":
		http.NotFound(w, r)
		return
	case audience == "":
		http.Error(w, "non-empty audience parameter required", http.StatusBadRequest)
		return
	}
	token, err := s.Token("google", audience)
	if err != nil {
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html") // as the real one has it
	_, _ = io.WriteString(w, token)             // an error here is the client's: it has gone
}

// newKubernetes returns a projected service account token (kubernetes.io, Service account
// token volume projection).
func newKubernetes(s *Service) *issuer {
	j := s.opts.Job
	return s.define(issuer{
		name: "kubernetes", keysPath: "/openid/v1/jwks", lifetime: time.Hour, many: true,
		claims: func(string) map[string]any {
			return map[string]any{
				"sub": "system:serviceaccount:" + j.Namespace + ":" + j.ServiceAccount,
				"kubernetes.io": map[string]any{
					"namespace": j.Namespace, "serviceaccount": map[string]any{"name": j.ServiceAccount, "uid": stableUUID(1)},
					"pod": map[string]any{"name": "deploy-7d9", "uid": s.jobID}, "node": map[string]any{"name": "node-1", "uid": stableUUID(2)},
				},
			}
		},
	})
}

// newSPIFFE returns a JWT-SVID (SPIFFE, JWT-SVID, section 3) of a trust domain that also
// publishes discovery, as SPIRE's does.
func newSPIFFE(s *Service) *issuer {
	j := s.opts.Job
	return s.define(issuer{
		name: "spiffe", keysPath: "/keys", lifetime: 5 * time.Minute, early: -1, many: true,
		claims: func(string) map[string]any {
			return map[string]any{"sub": j.spiffeID()}
		},
	})
}
