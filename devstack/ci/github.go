package ci

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// newGitHub is GitHub Actions (docs.github.com, OpenID Connect reference).
func newGitHub(s *Service) *issuer {
	return s.define(issuer{
		name: "github", keysPath: "/.well-known/jwks", lifetime: 5 * time.Minute, early: 10 * time.Minute,
		audience: "https://github.com/" + s.opts.Job.Owner, claims: s.githubClaims,
	})
}

func (s *Service) githubClaims(string) map[string]any {
	j := s.opts.Job
	repository := j.Owner + "/" + j.Repository
	workflow := repository + "/.github/workflows/" + j.Workflow + "@" + j.Ref
	claims := map[string]any{
		"sub": s.githubSubject(), "repository": repository, "repository_owner": j.Owner, "repository_visibility": "private",
		"repository_id": strconv.FormatInt(j.RepositoryID, 10), "repository_owner_id": strconv.FormatInt(j.OwnerID, 10),
		"actor": j.Actor, "actor_id": "12", "ref": j.Ref, "ref_type": "branch", "ref_protected": "true", "sha": j.SHA,
		"event_name": j.Event, "workflow": j.Workflow, "workflow_ref": workflow, "workflow_sha": j.SHA,
		"job_workflow_ref": workflow, "job_workflow_sha": j.SHA, "run_id": "17000000001", "run_number": "10", "run_attempt": "1",
		"runner_environment": "github-hosted", "head_ref": "", "base_ref": "",
	}
	if j.Environment != "" {
		claims["environment"] = j.Environment
	}
	return claims
}

// githubSubject names the job's environment if it has one, or else its pull request, or
// else its ref. In the immutable form each name is followed by @ and the id
// (github/docs#45221); the announcement of April 2026 had a hyphen.
func (s *Service) githubSubject() string {
	j := s.opts.Job
	repository := j.Owner + "/" + j.Repository
	if j.Immutable != s.fault(FaultImmutable) {
		repository = fmt.Sprintf("%s@%d/%s@%d", j.Owner, j.OwnerID, j.Repository, j.RepositoryID)
	}
	switch {
	case j.Environment != "":
		return "repo:" + repository + ":environment:" + j.Environment
	case j.Event == "pull_request":
		return "repo:" + repository + ":pull_request"
	}
	return "repo:" + repository + ":ref:" + j.Ref
}

// githubRequestURL returns the value of ACTIONS_ID_TOKEN_REQUEST_URL: it has a query already.
func (s *Service) githubRequestURL() string {
	return s.opts.BaseURL + "/ci/github/runner/idtoken/" + s.jobID + "/" + s.jobID + "?api-version=2.0"
}

// githubRequest answers as the runner's service does (actions/toolkit, oidc-utils.ts).
func (s *Service) githubRequest(w http.ResponseWriter, r *http.Request) {
	if s.refuse(w) {
		return
	}
	if !bearer(r, "Bearer", s.requestToken) || r.PathValue("job") != s.jobID {
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || query.Get("api-version") == "" || len(query["audience"]) > 1 {
		http.Error(w, "Bad Request", http.StatusBadRequest)
		return
	}
	token, err := s.Token("github", query.Get("audience"))
	if err != nil {
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	writeJSON(w, map[string]any{"count": len(token), "value": token})
}
