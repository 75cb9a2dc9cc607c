package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

// questions are asked in this order; those that remove something come last.
var questions = slices.Concat(spike, steps, tokenQuestions, clerkQuestions, auth0Questions, doctorQuestions, endings)

var both = []string{"turso", "clerk"}

// steps are the steps of the report about registrations that could not be removed.
var steps = []question{
	{
		id: "R1", name: "list", needs: []string{"turso"},
		asked:    "What does a list of registrations look like?",
		expected: answer{"status": "200", "shape": "jwks"},
		answer: func(r *run) answer {
			got := platform(second(r.turso.KeySets(r.ctx, r.organization)))
			got["shape"] = names(objectIn(r.recorder.last("Turso API").answer))
			return got
		},
	},
	{
		id: "R2", name: "save", needs: both,
		asked:    "Is a registration of Clerk's key set saved and listed, and how soon is a token taken?",
		expected: answer{"status": "200", "listed": "yes", "taken": "at once"},
		answer: func(r *run) answer {
			done := r.registered()
			return answer{"status": fmt.Sprint(done.status), "taken": done.taken, "listed": yes(r.listed(r.name + "-clerk"))}
		},
	},
	{
		id: "R3", name: "template", needs: []string{"turso"},
		asked:    "What claims does Turso want for a database?",
		expected: answer{"claims": "a id perm rid", "a": "rw", "id": "the database's", "perm": "[]"},
		answer: func(r *run) answer {
			t := r.template()
			got := answer{"claims": names(t), "a": fmt.Sprint(t["a"]), "id": fmt.Sprint(t["id"]), "perm": fmt.Sprint(t["perm"])}
			if t["id"] == r.theDatabase().ID {
				got["id"] = "the database's"
			}
			return got
		},
	},
	{
		id: "R4", name: "curl_with_a_token_of_turso", needs: []string{"turso"},
		asked:    "Does the database take a token that Turso minted?",
		expected: ok,
		answer:   func(r *run) answer { return r.select1(r.platformToken()) },
	},
	{
		id: "R5", name: "curl_with_a_token_of_clerk", needs: both,
		asked:    "Does the database take Clerk's token by curl's request, which the report had refused?",
		expected: ok,
		answer:   func(r *run) answer { return r.select1(r.token(plain)) },
	},
	{
		id: "R6", name: "cors", needs: []string{"turso"},
		asked:    "Which answers may a page of another origin read: the preflight, a 200, a 401?",
		expected: answer{"preflight": "200 *", "allowed": "200 *", "refused": "401 none"},
		answer: func(r *run) answer {
			const origin = "https://app.example"
			send := func(method, token string, header ...string) string {
				res := r.call(r.ctx, "Database", r.address(), method, "/v2/pipeline", token, map[string]any{"requests": []any{}}, append(header, "Origin", origin)...)
				return fmt.Sprint(res.status, " ", cmp.Or(res.header.Get("Access-Control-Allow-Origin"), "none"))
			}
			return answer{
				"preflight": send(http.MethodOptions, "", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type"),
				"allowed":   send(http.MethodPost, r.platformToken()), "refused": send(http.MethodPost, ""),
			}
		},
	},
	{
		id: "R7", name: "region", needs: both,
		asked:    "Is a registration with a region saved, does the list show the region, and does the removal with another region remove it?",
		expected: answer{"status": "200", "region": "shown", "removal": "404", "listed after": "yes"},
		answer: func(r *run) answer {
			region := cmp.Or(r.theDatabase().PrimaryRegion, "aws-us-east-1")
			got := answer{"status": fmt.Sprint(r.register("-region", r.instance.KeySetURL(), region)), "region": "not shown"}
			sets, err := r.turso.KeySets(r.ctx, r.organization)
			check(err)
			for _, s := range sets {
				if s.Name == r.name+"-region" && s.Region != "" {
					got["region"] = "shown"
				}
			}
			removal := platform(r.turso.RemoveKeySet(r.ctx, r.organization, r.name+"-region", "aws-us-west-2"))
			got["removal"], got["listed after"] = removal["status"], yes(r.listed(r.name+"-region"))
			if removal["error"] != "" {
				got["error"] = removal["error"]
			}
			if got["listed after"] == "yes" {
				right := platform(r.turso.RemoveKeySet(r.ctx, r.organization, r.name+"-region", region))
				got["removal with its region"] = right.String()
			}
			return got
		},
	},
	{
		id: "R8", name: "key_set_of_another_issuer", needs: []string{"turso"},
		asked:    "May a registration name a key set that is neither Clerk's nor Auth0's, and can't be fetched?",
		expected: answer{"status": "200"},
		answer: func(r *run) answer {
			name := r.journaled("registration", r.name+"-other")
			got := platform(r.turso.SaveKeySet(r.ctx, r.organization, turso.KeySet{Name: name, URL: "https://keys.invalid/.well-known/jwks.json"}))
			if got["status"] == "200" {
				check(r.turso.RemoveKeySet(r.ctx, r.organization, name, ""))
			}
			return got
		},
	},
	{
		id: "R9", name: "limit", needs: both,
		asked:    "With what status is one registration too many refused, and how many does the plan allow?",
		expected: answer{"status": "400", "error": "jwks count limit(2) exceeded", "plan": "starter"},
		answer: func(r *run) answer {
			r.registered()
			plan, err := r.turso.Subscription(r.ctx, r.organization)
			if err != nil {
				plan.Plan = err.Error()
			}
			got := answer{"status": "none was too many", "plan": plan.Plan}
			for i := range 3 {
				name := r.journaled("registration", fmt.Sprintf("%s-%d", r.name, i))
				one := platform(r.turso.SaveKeySet(r.ctx, r.organization, turso.KeySet{Name: name, URL: r.instance.KeySetURL()}))
				if one["status"] != "200" {
					one["plan"] = got["plan"]
					got = one
					break
				}
				defer func() { check(r.turso.RemoveKeySet(r.ctx, r.organization, name, "")) }()
			}
			return got
		},
	},
}

// second returns the error of a call with two results.
func second[T any](_ T, err error) error { return err }

// objectIn returns the JSON object in a body, or nil if the body isn't one.
func objectIn(body []byte) map[string]any {
	if all := documents(body); len(all) == 1 {
		m, _ := all[0].(map[string]any)
		return m
	}
	return nil
}

// claimed queries the database with a token whose claims are changed.
func claimed(change func(r *run, claims map[string]any)) func(*run) answer {
	return func(r *run) answer {
		return r.select1(r.token(func(claims map[string]any) { change(r, claims) }))
	}
}

// only replaces all of Turso's claims by one claim.
func only(claims map[string]any, name string, value any) {
	clear(claims)
	claims[name] = value
}

// tokenQuestions are about how Turso treats tokens.
var tokenQuestions = []question{
	{
		id: "T1", name: "aud", needs: both, expected: ok,
		asked:  "Is a token taken that has an audience?",
		answer: claimed(func(_ *run, claims map[string]any) { claims["aud"] = "zen-live" }),
	},
	{
		id: "T2", name: "p_with_the_id", needs: both, expected: ok,
		asked: "Is p honoured, the form of libsql-server, with the database's id?",
		answer: claimed(func(r *run, claims map[string]any) {
			only(claims, "p", map[string]any{"rw": map[string]any{"ns": []string{r.theDatabase().ID}}})
		}),
	},
	{
		id: "T3", name: "p_with_the_name", needs: both, expected: ok,
		asked: "Is p honoured with ORGANIZATION.DATABASE and tables, as the plan has it?",
		answer: claimed(func(r *run, claims map[string]any) {
			all := map[string]bool{"data_read": true, "data_add": true, "data_update": true, "data_delete": true}
			only(claims, "p", map[string]any{"rw": map[string]any{
				"ns": []string{r.slug() + "." + r.theDatabase().Name}, "tables": map[string]any{"all": all},
			}})
		}),
	},
	{
		id: "T4", name: "p_of_another_database", needs: both,
		asked:    "Does p keep a token from other databases, or is it not looked at?",
		expected: refused("401", unauthorized+"token does not have the permissions to access the database`"),
		answer: claimed(func(_ *run, claims map[string]any) {
			only(claims, "p", map[string]any{"rw": map[string]any{"ns": []string{"00000000-0000-4000-8000-000000000000"}}})
		}),
	},
	{
		id: "T5", name: "p_that_reads", needs: both,
		asked:    "Does p with ro keep a token from writing?",
		expected: answer{"status": "200", "error": readOnlyText, "code": "BLOCKED"},
		answer: func(r *run) answer {
			r.notes()
			return r.sql(r.token(func(claims map[string]any) {
				only(claims, "p", map[string]any{"ro": map[string]any{"ns": []string{r.theDatabase().ID}}})
			}), "INSERT INTO notes VALUES ('p')")
		},
	},
	{
		id: "T6", name: "group_template", needs: []string{"turso"},
		asked:    "What claims does Turso want for a group?",
		expected: answer{"claims": "a gid perm rid"},
		answer: func(r *run) answer {
			return answer{"claims": names(r.askTemplate(turso.TemplateOptions{Group: r.theDatabase().Group}))}
		},
	},
	{
		id: "T7", name: "gid", needs: both, expected: ok,
		asked: "Is a token for the group taken by a database of it?",
		answer: claimed(func(r *run, claims map[string]any) {
			clear(claims)
			for name, value := range r.askTemplate(turso.TemplateOptions{Group: r.theDatabase().Group}) {
				claims[name] = value
			}
		}),
	},
	{
		id: "T8", name: "template_without_a_target", needs: []string{"turso"},
		asked:    "What claims does Turso want for everything?",
		expected: answer{"claims": "a perm"},
		answer: func(r *run) answer {
			return answer{"claims": names(r.askTemplate(turso.TemplateOptions{}))}
		},
	},
	{
		id: "T9", name: "no_rid", needs: both, expected: ok,
		asked:  "Is a token taken without rid?",
		answer: claimed(func(_ *run, claims map[string]any) { delete(claims, "rid") }),
	},
	{
		id: "T10", name: "another_database", needs: both,
		asked:    "With what words is a token for another database refused?",
		expected: refused("401", unauthorized+"token does not have the permissions to access the database`"),
		answer: claimed(func(_ *run, claims map[string]any) {
			claims["id"] = "00000000-0000-4000-8000-000000000000"
		}),
	},
	{
		id: "T11", name: "read_only", needs: both,
		asked:    "How is a write refused to a token that reads?",
		expected: answer{"status": "200", "error": readOnlyText, "code": "BLOCKED"},
		answer: func(r *run) answer {
			r.notes()
			return r.sql(r.token(func(claims map[string]any) { claims["a"] = "ro" }), "INSERT INTO notes VALUES ('ro')")
		},
	},
	{
		id: "T12", name: "perm", needs: both,
		asked:    "Does perm hold: may a token that adds to one table not read it?",
		expected: answer{"status": "200", "error": "SQLite error: access to notes.text is prohibited", "code": "SQLITE_AUTH"},
		answer: func(r *run) answer {
			r.notes()
			return r.sql(r.token(func(claims map[string]any) {
				claims["perm"] = []any{map[string]any{"t": []string{"notes"}, "a": []string{"data_add"}}}
			}), "SELECT text FROM notes")
		},
	},
	{
		id: "T13", name: "perm_of_a_user", needs: both,
		asked:    "Does perm hold when it comes from the user's metadata, by a shortcode of the template?",
		expected: answer{"perm": fmt.Sprint(readNotes), "status": "200", "error": "SQLite error: not authorized", "code": "SQLITE_AUTH"},
		answer: func(r *run) answer {
			r.notes()
			token := r.token(func(claims map[string]any) { claims["perm"] = "{{user.public_metadata.turso_perm}}" })
			got := r.sql(token, "INSERT INTO notes VALUES ('perm')")
			_, claims := decoded(token)
			got["perm"] = fmt.Sprint(claims["perm"])
			return got
		},
	},
	{
		id: "T14", name: "perm_and_a_replica", needs: both,
		asked:    "Does perm keep a token from fetching the whole database as a replica does?",
		expected: answer{"info": "401", "export": "401"},
		answer: func(r *run) answer {
			get := func(path, token string) response {
				return r.call(r.ctx, "Database", r.address(), http.MethodGet, path, token, nil)
			}
			var info struct {
				Generation int `json:"current_generation"`
			}
			get("/info", r.platformToken()).into(&info)
			token := r.token(func(claims map[string]any) { claims["perm"] = readNotes })
			return answer{"info": fmt.Sprint(get("/info", token).status), "export": fmt.Sprint(get(fmt.Sprintf("/export/%d", info.Generation), token).status)}
		},
	},
	{
		id: "T15", name: "session_token", needs: both, expected: ok,
		asked: "Is a plain session token taken, which says nothing of databases?",
		answer: func(r *run) answer {
			r.registered()
			return r.select1(r.sessionToken())
		},
	},
	{
		id: "T16", name: "m2m_without_claims", needs: append([]string{"machine"}, both...), expected: ok,
		asked: "Is a machine's token taken, which says nothing of databases?",
		answer: func(r *run) answer {
			r.registered()
			return r.select1(r.machineToken(nil))
		},
	},
	{
		id: "T17", name: "m2m_with_claims", needs: append([]string{"machine"}, both...), expected: ok,
		asked: "Is a machine's token taken that has the database's claims?",
		answer: func(r *run) answer {
			r.registered()
			return r.select1(r.machineToken(r.template()))
		},
	},
	{
		id: "T18", name: "oauth_access_token", needs: append([]string{"person"}, both...), expected: ok,
		asked: "Is an OAuth access token (at+jwt) taken, which says nothing of databases?",
		answer: func(r *run) answer {
			r.registered()
			return r.select1(r.signedIn().Access.Reveal())
		},
	},
	{
		id: "T19", name: "id_token", needs: append([]string{"person"}, both...), expected: ok,
		asked: "Is an id_token taken, which is for an application?",
		answer: func(r *run) answer {
			r.registered()
			return r.select1(r.signedIn().ID.Reveal())
		},
	},
	{
		id: "T20", name: "expired", needs: both,
		asked:    "With what status is an expired token refused?",
		expected: refused("400", "JWT error: ExpiredSignature"),
		answer:   func(r *run) answer { return r.select1(r.old().token) },
	},
	{
		id: "T21", name: "expired_just_now", needs: both, expected: ok,
		asked:  "Is a token taken 20 seconds after its end, as by libsql-server?",
		answer: func(r *run) answer { return r.old().soon },
	},
	{
		id: "T22", name: "wrong_signature", needs: both,
		asked:    "With what status is a wrong signature refused, under a kid that is known?",
		expected: refused("400", "JWT error: InvalidSignature"),
		answer: func(r *run) answer {
			token := r.token(plain)
			i := strings.LastIndexByte(token, '.') + 1
			other := byte('A')
			if token[i] == other {
				other = 'B'
			}
			return r.select1(token[:i] + string(other) + token[i+1:])
		},
	},
	{
		id: "T23", name: "no_jwt", needs: []string{"turso"},
		asked:    "With what status is a token refused that isn't a JWT?",
		expected: refused("400", "JWT error: InvalidToken"),
		answer:   func(r *run) answer { return r.select1("zen-live-no-jwt") },
	},
	{
		id: "T24", name: "no_token", needs: []string{"turso"},
		asked:    "With what status is a request without a token refused?",
		expected: refused("401", unauthorized+"empty JWT token`"),
		answer:   func(r *run) answer { return r.select1("") },
	},
	{
		id: "T25", name: "replica_without_a_jwt", needs: []string{"turso"},
		asked:    "With what status does /info refuse a token that isn't a JWT? go-libsql ignores any status but 401.",
		expected: answer{"status": "400"},
		answer: func(r *run) answer {
			return answer{"status": fmt.Sprint(r.call(r.ctx, "Database", r.address(), http.MethodGet, "/info", "zen-live-no-jwt", nil).status)}
		},
	},
	{
		id: "T26", name: "api_token_at_the_database", needs: []string{"turso"},
		asked:    "With what words is an API token refused by a database?",
		expected: answer{"refused": "yes"},
		answer: func(r *run) answer {
			got := r.select1(r.tursoToken)
			return answer{"refused": yes(got["status"] != "200")}
		},
	},
}

const readOnlyText = "Operation was blocked: SQL write operations are forbidden (current session doesn't have write permission)"

// slug returns the organization's slug, which p contains.
func (r *run) slug() string {
	if r.organization != "" {
		return r.organization
	}
	return once(r, "slug", func() string {
		all, err := r.turso.Organizations(r.ctx)
		check(err)
		for _, o := range all {
			if o.Type == "personal" {
				r.recorder.name(o.Slug, "organization")
				return o.Slug
			}
		}
		check(errors.New("the user has no personal organization"))
		return ""
	})
}

// sessionToken returns a token of the session that isn't from a template.
func (r *run) sessionToken() string {
	token, err := r.frontend.Mint(r.ctx, r.session(), "")
	check(err)
	return token.Reveal()
}

// machineToken returns a JWT of the machine with these claims.
func (r *run) machineToken(claims map[string]any) string {
	body := map[string]any{"token_format": "jwt"}
	if claims != nil {
		body["claims"] = claims
		body["seconds_until_expiration"] = 600
	}
	var made struct{ Token string }
	base := strings.TrimSuffix(cmp.Or(r.clerkURL, clerk.DefaultBackendURL), "/v1")
	r.call(r.ctx, "Clerk Backend", base, http.MethodPost, "/v1/m2m_tokens", r.machineSecret, body).into(&made)
	return made.Token
}

// signedIn returns the tokens of a sign-in to the OAuth application in a browser.
func (r *run) signedIn() oauth.Tokens {
	return once(r, "signed in", func() oauth.Tokens {
		return r.browser("Clerk", r.instance.URL, r.instance.URL, r.application(), oauth.BrowserOptions{
			Scopes: []string{"openid", "profile", "email", "offline_access"},
		})
	})
}

func (r *run) browser(service, base, issuer, client string, o oauth.BrowserOptions) (tokens oauth.Tokens) {
	http := r.client(service, base)
	metadata, err := oauth.Discover(r.ctx, issuer, oauth.DiscoverOptions{Name: "zen-live", HTTP: http})
	check(err)
	if service == "Clerk" {
		r.user()
		check(r.person.Progress(r.ctx, "Sign in as "+r.email()+"; the code is 424242."))
	}
	c := oauth.Client{Name: "zen-live", ID: client, Metadata: metadata, HTTP: http, Now: r.now}
	check(c.Browser(r.end, r.person, o, func(_ context.Context, t oauth.Tokens) (string, error) {
		tokens = t
		return "a test", nil
	}))
	r.recorder.secret(tokens.Refresh.Reveal())
	return tokens
}

// frontendCall sends a request to Clerk's Frontend API that core/clerk has no method for.
func (r *run) frontendCall(method, path, authorization, form string) response {
	header := []string{"Authorization", authorization}
	var body any
	if method == http.MethodPost {
		body = form
	}
	return r.call(r.ctx, "Clerk", r.instance.URL, method, path, "", body, header...)
}

var one = []string{"clerk"}

// clerkQuestions are about Clerk only.
var clerkQuestions = []question{
	{
		id: "K1", name: "template_token", needs: one,
		asked:    "What is in a template's token beside the template's claims?",
		expected: answer{"alg": "RS256", "typ": "JWT", "cat": clerk.CategoryTemplate, "claims": "exp iat iss jti nbf sub"},
		answer:   func(r *run) answer { return describe(r.mint(map[string]any{}, lifetime)) },
	},
	{
		id: "K2", name: "session_token", needs: one,
		asked:    "What is in a session token, and how long does it live?",
		expected: answer{"alg": "RS256", "typ": "JWT", "cat": clerk.CategorySession, "life": "1m0s"},
		answer: func(r *run) answer {
			token := r.sessionToken()
			got := describe(token)
			got["life"] = life(token)
			return got
		},
	},
	{
		id: "K3", name: "m2m_token", needs: []string{"clerk", "machine"},
		asked:    "What is in a machine's token, and what is its default lifetime?",
		expected: answer{"cat": "cl_B7d4PD333AAA", "life": "1h0m0s"},
		answer: func(r *run) answer {
			token := r.machineToken(nil)
			got := describe(token)
			got["life"] = life(token)
			return got
		},
	},
	{
		id: "K4", name: "oauth_tokens", needs: []string{"clerk", "person"},
		asked:    "What is in an OAuth access token, has it an audience, and how long does it live?",
		expected: answer{"typ": "at+jwt", "life": "24h0m0s", "refresh token": "yes"},
		answer: func(r *run) answer {
			t := r.signedIn()
			got := describe(t.Access.Reveal())
			got["life"], got["refresh token"] = life(t.Access.Reveal()), yes(!t.Refresh.IsZero())
			return got
		},
	},
	{
		id: "K5", name: "unknown_api_key", needs: one,
		asked:    "With what code does Clerk answer about an API key that it doesn't know?",
		expected: answer{"status": "404"},
		answer: func(r *run) answer {
			return r.verifyKey(provider.NewSecret("ak_" + strings.Repeat("A", 43) + "="))
		},
	},
	{
		id: "K6", name: "revoked_api_key", needs: one,
		asked:    "Is a revoked API key not found, or shown as revoked?",
		expected: answer{"status": "404"},
		answer: func(r *run) answer {
			secret, id := r.apiKey("-revoked", 0)
			r.clerkCall(r.ctx, http.MethodPost, "/api_keys/"+id+"/revoke", map[string]string{"revocation_reason": "a test"}).into(nil)
			return r.verifyKey(secret)
		},
	},
	{
		id: "K7", name: "expired_api_key", needs: one,
		asked:    "Is an expired API key not found, or shown as expired?",
		expected: answer{"status": "404"},
		answer: func(r *run) answer {
			secret, _ := r.apiKey("-expired", 1)
			check(r.wait(r.end, 3*time.Second))
			return r.verifyKey(secret)
		},
	},
	{
		id: "K8", name: "loopback_redirects", needs: one,
		asked:    "Which loopback addresses may a redirect have, where http://127.0.0.1/callback is registered?",
		expected: answer{"127.0.0.1 of any port": "taken", "localhost": "redirect_uri_mismatch", "[::1]": "redirect_uri_mismatch"},
		answer: func(r *run) answer {
			got := answer{}
			for name, address := range map[string]string{
				"127.0.0.1 of any port": "http://127.0.0.1:49152/callback", "localhost": "http://localhost:49152/callback", "[::1]": "http://[::1]:49152/callback",
			} {
				q := url.Values{
					"response_type": {"code"}, "client_id": {r.application()}, "redirect_uri": {address}, "scope": {"profile email"}, "state": {"a-state-of-a-test"},
					"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
				}
				res := r.call(r.ctx, "Clerk", r.instance.URL, http.MethodGet, "/oauth/authorize?"+q.Encode(), "", nil)
				switch failed := failure(res); {
				case res.status/100 == 3:
					got[name] = "taken"
				default:
					got[name] = cmp.Or(failed["code"], failed["status"])
				}
			}
			return got
		},
	},
	{
		id: "K9", name: "device_grant_announced", needs: one,
		asked:    "Do the metadata name the device grant?",
		expected: answer{"device grant": "yes"},
		answer: func(r *run) answer {
			m, err := oauth.Discover(r.ctx, r.instance.URL, oauth.DiscoverOptions{Name: "zen-live", HTTP: r.client("Clerk", r.instance.URL)})
			check(err)
			return answer{"device grant": yes(m.DeviceEndpoint != "")}
		},
	},
	{
		id: "K10", name: "device_grant", needs: []string{"clerk", "device"},
		asked:    "How long is a device's code good, how often may a device poll, and with what status is an early poll refused?",
		expected: answer{"expires_in": "900", "interval": "5", "status": "400", "code": "authorization_pending"},
		answer: func(r *run) answer {
			var begun struct {
				Code     string `json:"device_code"`
				Expires  int    `json:"expires_in"`
				Interval int    `json:"interval"`
			}
			r.call(r.ctx, "Clerk", r.instance.URL, http.MethodPost, "/oauth/device_authorization", "", url.Values{"client_id": {r.device}}.Encode()).into(&begun)
			got := failure(r.call(r.ctx, "Clerk", r.instance.URL, http.MethodPost, "/oauth/token", "", url.Values{
				"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {begun.Code}, "client_id": {r.device},
			}.Encode()))
			got["expires_in"], got["interval"] = fmt.Sprint(begun.Expires), fmt.Sprint(begun.Interval)
			return got
		},
	},
	{
		id: "K11", name: "email_code_without_a_browser", needs: one,
		asked:    "Can a terminal without a browser sign in by a code, past the protection against bots?",
		expected: answer{"status": clerk.StatusComplete},
		answer: func(r *run) answer {
			r.user()
			a, err := r.frontend.Begin(r.ctx, r.email())
			check(err)
			i := slices.IndexFunc(a.FirstFactors, func(f clerk.Factor) bool { return f.Strategy == "email_code" })
			if i < 0 {
				return answer{"status": a.Status, "factors": fmt.Sprint(len(a.FirstFactors))}
			}
			check(r.frontend.Prepare(r.ctx, a, a.FirstFactors[i]))
			check(r.frontend.Answer(r.ctx, a, a.FirstFactors[i], "424242"))
			return answer{"status": a.Status}
		},
	},
	{
		id: "K12", name: "client_token_with_and_without_bearer", needs: one,
		asked:    "Is the client's token taken bare, and after Bearer?",
		expected: answer{"bare": "200", "Bearer": "200"},
		answer: func(r *run) answer {
			get := func(authorization string) string {
				return fmt.Sprint(r.frontendCall(http.MethodGet, "/v1/client?_is_native=1", authorization, "").status)
			}
			token := r.signIn(r.user()).Client.Reveal()
			return answer{"bare": get(token), "Bearer": get("Bearer " + token)}
		},
	},
	{
		id: "K13", name: "bad_client_token", needs: one,
		asked:    "With what code is an invalid client token refused?",
		expected: answer{"status": "401", "code": "authentication_invalid"},
		answer: func(r *run) answer {
			return failure(r.frontendCall(http.MethodGet, "/v1/client?_is_native=1", "zen-live-no-jwt", ""))
		},
	},
	{
		id: "K14", name: "taken_template_name", needs: one,
		asked:    "With what code is a template refused whose name is taken?",
		expected: answer{"status": "422"},
		answer: func(r *run) answer {
			r.mint(map[string]any{}, lifetime)
			return failure(r.clerkCall(r.ctx, http.MethodPost, "/jwt_templates", map[string]any{"name": r.name, "claims": map[string]any{}}))
		},
	},
	{
		id: "K15", name: "ended_session", needs: one,
		asked:    "Does a session that was ended mint no more tokens, at once?",
		expected: answer{"status": "404"},
		answer: func(r *run) answer {
			s := r.signIn(r.user())
			check(r.frontend.End(r.ctx, s))
			return failure(r.frontendCall(http.MethodPost, "/v1/client/sessions/"+s.ID+"/tokens?_is_native=1", s.Client.Reveal(), ""))
		},
	},
}

// verifyKey returns Clerk's answer about an API key.
func (r *run) verifyKey(secret provider.Secret) answer {
	res := r.clerkCall(r.ctx, http.MethodPost, "/api_keys/verify", map[string]string{"secret": secret.Reveal()})
	got := failure(res)
	if m := objectIn(res.body); res.status == http.StatusOK {
		got["revoked"], got["expired"] = fmt.Sprint(m["revoked"]), fmt.Sprint(m["expired"])
	}
	return got
}

// auth0Questions are about Auth0, and about its tokens at Turso.
var auth0Questions = []question{
	{
		id: "U1", name: "machine_token", needs: []string{"turso", "auth0"},
		asked:    "What is in a machine's token, and did the Action put the database's claims into it?",
		expected: answer{"alg": "RS256", "typ": "JWT", "claims": "a aud azp exp gty iat id iss perm rid sub"},
		answer:   func(r *run) answer { return describe(r.auth0Token(r.audience)) },
	},
	{
		id: "U2", name: "machine_token_at_turso", needs: []string{"turso", "auth0"}, expected: ok,
		asked: "Does the database take it, with the audience that Auth0 always puts in?",
		answer: func(r *run) answer {
			r.auth0Registered()
			return r.select1(r.auth0Token(r.audience))
		},
	},
	{
		id: "U3", name: "rfc9068_token", needs: []string{"turso", "auth0", "rfc9068"},
		asked:    "What is in a machine's token of the other dialect?",
		expected: answer{"alg": "RS256", "typ": "at+jwt", "claims": "a aud client_id exp iat id iss jti perm rid sub"},
		answer:   func(r *run) answer { return describe(r.auth0Token(r.rfc9068)) },
	},
	{
		id: "U4", name: "rfc9068_token_at_turso", needs: []string{"turso", "auth0", "rfc9068"}, expected: ok,
		asked: "Does the database take the other dialect (at+jwt)?",
		answer: func(r *run) answer {
			r.auth0Registered()
			return r.select1(r.auth0Token(r.rfc9068))
		},
	},
	{
		id: "U5", name: "person", needs: []string{"turso", "auth0", "auth0 person", "person"},
		asked:    "What is in the token of a person who signed in in a browser?",
		expected: answer{"typ": "JWT", "refresh token": "yes"},
		answer: func(r *run) answer {
			t := r.auth0SignedIn()
			got := describe(t.Access.Reveal())
			got["refresh token"] = yes(!t.Refresh.IsZero())
			return got
		},
	},
	{
		id: "U6", name: "id_token_at_turso", needs: []string{"turso", "auth0", "auth0 person", "person"}, expected: ok,
		asked: "Does the database take a person's id_token, which says nothing of databases?",
		answer: func(r *run) answer {
			r.auth0Registered()
			return r.select1(r.auth0SignedIn().ID.Reveal())
		},
	},
}

// tenant returns the tenant's URL. The issuer is this URL with a slash at its end.
func (r *run) tenant() string {
	host, _, _ := strings.Cut(r.auth0, ":")
	if provider.IsLoopback(host) {
		return "http://" + r.auth0
	}
	return "https://" + r.auth0
}

// auth0Token returns a token of the machine for an API, with the claims of the database.
func (r *run) auth0Token(audience string) string {
	claims := r.template()
	if r.action != nil {
		r.action(claims)
	}
	encoded, err := marshal(claims)
	check(err)
	client := r.client("Auth0", r.tenant())
	metadata, err := oauth.Discover(r.ctx, r.tenant()+"/", oauth.DiscoverOptions{Name: "auth0", HTTP: client})
	check(err)
	machine := oauth.Client{Name: "auth0", ID: r.auth0Machine, Secret: provider.NewSecret(r.auth0Secret), Metadata: metadata, HTTP: client, Now: r.now}
	t, err := machine.ClientCredentials(r.ctx, nil, url.Values{"audience": {audience}, "turso": {strings.TrimSpace(string(encoded))}})
	check(err)
	return t.Access.Reveal()
}

func (r *run) auth0Registered() registration {
	return once(r, "auth0 registered", func() registration {
		status := r.register("-auth0", r.tenant()+"/.well-known/jwks.json", "")
		token := r.auth0Token(r.audience)
		return registration{status, r.until(func() bool { return r.select1(token)["status"] == "200" })}
	})
}

func (r *run) auth0SignedIn() oauth.Tokens {
	return once(r, "signed in at auth0", func() oauth.Tokens {
		ports, err := oauth.ParsePorts(r.ports)
		check(err)
		return r.browser("Auth0", r.tenant(), r.tenant()+"/", r.nativeID, oauth.BrowserOptions{
			Scopes: []string{"openid", "profile", "offline_access"}, Params: url.Values{"audience": {r.audience}}, Ports: ports,
			Mismatch: "Callback URL mismatch", Where: "Allowed Callback URLs of the application, in the Auth0 dashboard",
		})
	})
}

// endings remove what other questions need.
var endings = []question{
	{
		id: "Z1", name: "rotation", needs: both,
		asked: "After a rotation of the database's tokens: which of the old tokens are refused, Turso's, Clerk's with rid, Clerk's without, and has the template another rid?",
		expected: answer{
			"turso's": "401", "clerk's with rid": "401", "clerk's without rid": "401", "another rid": "yes", "with the new rid": "200", "refused": "at once",
			"error": unauthorized + "invalid JWT token: role was invalidated after token was issued`",
		},
		answer: func(r *run) answer {
			if r.database != "" {
				check(errors.New("the database is not this program's, and a rotation would end all of its tokens"))
			}
			bare := r.token(func(claims map[string]any) { delete(claims, "rid") })
			old, rid := r.token(plain), r.template()["rid"]
			platform := r.platformToken()
			check(r.wait(r.end, 2*time.Second)) // iat is in seconds
			check(r.turso.RotateDatabase(r.ctx, r.organization, r.theDatabase().Name))
			var got answer
			refused := r.until(func() bool {
				got = r.select1(old)
				return got["status"] != "200"
			})
			got["refused"], got["clerk's with rid"] = refused, got["status"]
			delete(got, "status")
			got["turso's"], got["clerk's without rid"] = r.select1(platform)["status"], r.select1(bare)["status"]
			delete(r.made, "template")
			delete(r.made, "platform token")
			got["another rid"] = yes(r.template()["rid"] != rid)
			got["with the new rid"] = r.select1(r.token(plain))["status"]
			return got
		},
	},
	{
		id: "Z2", name: "remove", needs: both,
		asked:    "Can a registration be removed, which the report could not?",
		expected: answer{"status": "200", "listed": "no"},
		answer: func(r *run) answer {
			r.registered()
			// A token for the last question, while one can be issued.
			once(r, "last token", func() string { return r.token(plain) })
			got := platform(r.turso.RemoveKeySet(r.ctx, r.organization, r.name+"-clerk", ""))
			got["listed"] = yes(r.listed(r.name + "-clerk"))
			return got
		},
	},
	{
		id: "Z3", name: "removed_key", needs: both,
		asked:    "For how long is a token still taken whose registration was removed?",
		expected: answer{"refused": "at once", "status": "401", "error": unauthorized + "invalid JWT token: can't be decoded with any of the existing keys`"},
		answer: func(r *run) answer {
			token := once(r, "last token", func() string { return r.token(plain) })
			if r.listed(r.name + "-clerk") {
				check(r.turso.RemoveKeySet(r.ctx, r.organization, r.name+"-clerk", ""))
			}
			var got answer
			refused := r.until(func() bool {
				got = r.select1(token)
				return got["status"] != "200"
			})
			got["refused"] = refused
			return got
		},
	},
}
