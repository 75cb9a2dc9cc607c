package live

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/loopback"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/private"
)

// spike are the fourteen tests of zen's original plan, by its names, and one more.
var spike = []question{
	{
		id: "A1", name: "clerk_jwks_validator_creates", needs: []string{"clerk"},
		asked:    "Are the keys that the instance publishes those of its secret key?",
		expected: answer{"keys": "the same", "alg": "RS256"},
		answer: func(r *run) answer {
			published, err := r.keys.Keys(r.ctx)
			check(err)
			ids, err := r.backend.KeyIDs(r.ctx)
			check(err)
			got := answer{"keys": "the same"}
			for _, k := range published {
				got["alg"] = k.Algorithm
				if !slices.Contains(ids, k.ID) {
					got["keys"] = "others"
				}
			}
			return got
		},
	},
	{
		id: "A2", name: "clerk_validate_jwt_from_env", needs: []string{"clerk"},
		asked:    "Does a token verify, and say who it is, in which organization and as what?",
		expected: answer{"subject": "there", "organization": "there", "slug": "there", "role": "org:admin", "typ": "JWT"},
		answer: func(r *run) answer {
			token := r.testToken
			if token == "" {
				check(r.frontend.Activate(r.ctx, r.session(), r.team()))
				token = r.mint(map[string]any{"org_id": "{{org.id}}", "org_slug": "{{org.slug}}", "org_role": "{{org.role}}"}, lifetime)
			}
			c, err := r.verify(token, r.now)
			check(err)
			got := answer{"subject": there(c.Subject), "typ": c.Type}
			if o := c.Organization; o != nil {
				got["organization"], got["slug"], got["role"] = there(o.ID), there(o.Slug), o.Role
			}
			return got
		},
	},
	{
		id: "A3", name: "clerk_expired_token_rejected", needs: []string{"clerk"},
		asked:    "Is a token refused after its end, and taken before?",
		expected: answer{"before": "none", "after": provider.ErrTokenExpired.Error()},
		answer: func(r *run) answer {
			token := r.mint(map[string]any{}, lifetime)
			_, before := r.verify(token, r.now)
			_, after := r.verify(token, func() time.Time { return r.now().Add(lifetime + time.Minute) })
			return answer{"before": kindOf(before), "after": kindOf(after)}
		},
	},
	{
		id: "B1", name: "tiny_http_callback_captures_token",
		asked:    "Does the callback on 127.0.0.1 get the token of the redirect?",
		expected: answer{"token": "test_jwt_123", "status": "200"},
		answer: func(r *run) answer {
			l, err := loopback.Listen(r.ctx, loopback.Options{})
			check(err)
			defer func() { _ = l.Close() }()
			status := make(chan string, 1)
			go func() {
				res, err := http.Get(l.RedirectURL() + "?" + url.Values{"token": {"test_jwt_123"}, "state": {l.State()}}.Encode())
				if err != nil {
					status <- err.Error()
					return
				}
				_ = res.Body.Close()
				status <- fmt.Sprint(res.StatusCode)
			}()
			callback, err := l.Wait(r.ctx)
			check(err)
			token := callback.Get("token")
			callback.Succeed("Signed in.")
			return answer{"token": token, "status": <-status}
		},
	},
	{
		id: "B2", name: "browser_open_does_not_panic", needs: []string{"person"},
		asked:    "Can a page be opened?",
		expected: answer{"opened": "none"},
		answer: func(r *run) answer {
			return answer{"opened": kindOf(r.person.OpenURL(r.end, "https://example.com", ""))}
		},
	},
	{
		id: "C1", name: "keyring_store_retrieve_delete", needs: []string{"keyring"},
		asked:    "Does the keyring of this system keep a secret?",
		expected: answer{"kept": "yes", "deleted": "yes"},
		answer: func(r *run) answer {
			r.journaled("keyring item", item)
			secret := provider.NewSecret("a secret of a test")
			check(r.keyring.Set(r.ctx, item, secret))
			read, err := r.keyring.Get(r.ctx, item)
			check(err)
			check(r.keyring.Delete(r.ctx, item))
			_, err = r.keyring.Get(r.ctx, item)
			return answer{"kept": yes(read.Equal(secret)), "deleted": yes(err != nil)}
		},
	},
	{
		id: "C2", name: "file_storage_fallback",
		asked:    "Does a file keep a secret that is for nobody else?",
		expected: answer{"kept": "yes", "others": "no"},
		answer: func(r *run) answer {
			path := filepath.Join(r.files(), "credentials")
			check(private.Replace(path, []byte("a secret of a test"), 0o600))
			file, err := private.Secret.Open(path, os.O_RDONLY)
			check(err)
			check(file.Close())
			read, err := os.ReadFile(path)
			check(err)
			check(os.Chmod(path, 0o644))
			file, err = private.Secret.Open(path, os.O_RDONLY)
			if err == nil {
				check(file.Close())
			}
			return answer{"kept": yes(string(read) == "a secret of a test"), "others": yes(!errors.Is(err, private.ErrOpen))}
		},
	},
	{
		id: "C3", name: "token_expiry_detection", needs: []string{"clerk"},
		asked:    "Does a token say when it ends, and is that what the template has?",
		expected: answer{"life": "10m0s", "expired": "no", "within a minute": "no"},
		answer: func(r *run) answer {
			token := r.mint(map[string]any{}, lifetime)
			c, err := jwks.DecodeUnverified(provider.NewSecret(token))
			check(err)
			left := c.Expires.Sub(r.now())
			return answer{"life": life(token), "expired": yes(left <= 0), "within a minute": yes(left <= time.Minute)}
		},
	},
	{
		id: "D1", name: "turso_jwks_remote_connection", needs: []string{"turso", "clerk"},
		asked:    "Does a database take a token of Clerk's by its registration?",
		expected: answer{"rows": "1"},
		answer: func(r *run) answer {
			db := r.open(&tokens{token: r.token(plain)}, "")
			defer func() { _ = db.Close() }()
			var n int
			check(db.QueryRowContext(r.ctx, "SELECT 1").Scan(&n))
			return answer{"rows": fmt.Sprint(n)}
		},
	},
	{
		id: "D2", name: "turso_jwks_embedded_replica", needs: []string{"turso", "clerk", "replica"},
		asked:    "Does an embedded replica open, write, sync and read with it?",
		expected: answer{"rows": "1"},
		answer: func(r *run) answer {
			db := r.open(&tokens{token: r.token(plain)}, "first.db")
			defer func() { _ = db.Close() }()
			r.exec(db, "CREATE TABLE IF NOT EXISTS notes (text TEXT)", "DELETE FROM notes", "INSERT INTO notes VALUES ('first')")
			_, err := libsql.Sync(r.ctx, db)
			check(err)
			return answer{"rows": r.count(db)}
		},
	},
	{
		id: "D3", name: "turso_jwks_write_forward", needs: []string{"turso", "clerk", "replica"},
		asked:    "Is what one replica writes in the database, and in a second replica after a sync?",
		expected: answer{"database": "1", "second": "1", "after a sync": "2"},
		answer: func(r *run) answer {
			source := &tokens{token: r.token(plain)}
			writer := r.open(source, "writer.db")
			defer func() { _ = writer.Close() }()
			r.exec(writer, "CREATE TABLE IF NOT EXISTS notes (text TEXT)", "DELETE FROM notes", "INSERT INTO notes VALUES ('first')")
			got := answer{"database": r.sql(source.token, "SELECT count(*) FROM notes")["rows"]}
			reader := r.open(source, "reader.db")
			defer func() { _ = reader.Close() }()
			got["second"] = r.count(reader)
			r.exec(writer, "INSERT INTO notes VALUES ('second')")
			_, err := libsql.Sync(r.ctx, reader)
			check(err)
			got["after a sync"] = r.count(reader)
			return got
		},
	},
	{
		id: "D4", name: "turso_jwks_expired_token_behavior", needs: []string{"turso", "clerk", "replica"},
		asked:    "What does a sync say when the token has expired, do reads go on, and does a fresh token help?",
		expected: answer{"status": "400", "sync": provider.ErrTokenExpired.Error(), "read": "works", "sync with a fresh token": "none"},
		answer: func(r *run) answer {
			old := r.old()
			_, err := libsql.Sync(r.ctx, old.replica)
			got := answer{"sync": kindOf(err), "status": fmt.Sprint(r.recorder.last("Database").status), "read": "works"}
			var n int
			if err := old.replica.QueryRowContext(r.ctx, "SELECT count(*) FROM notes").Scan(&n); err != nil {
				got["read"] = err.Error()
			}
			old.replicaSource.offer(r.token(plain))
			_, err = libsql.Sync(r.ctx, old.replica)
			got["sync with a fresh token"] = kindOf(err)
			return got
		},
	},
	{
		id: "D5", name: "expiry_in_the_middle", needs: []string{"turso", "clerk"},
		asked:    "Does one *sql.DB go on when its token expires?",
		expected: answer{"rows": "1", "renewals": "1"},
		answer: func(r *run) answer {
			old := r.old()
			old.remoteSource.offer(r.token(plain))
			var n int
			check(old.remote.QueryRowContext(r.ctx, "SELECT 1").Scan(&n))
			return answer{"rows": fmt.Sprint(n), "renewals": fmt.Sprint(old.remoteSource.renewals)}
		},
	},
	{
		id: "E1", name: "clerk_api_key_verify", needs: []string{"clerk"},
		asked:    "Does an API key verify, and say whose it is and what it may do?",
		expected: answer{"subject": "the user's", "scopes": "[db:read]", "claims": `{"purpose":"zen-live"}`},
		answer: func(r *run) answer {
			secret, _ := r.apiKey("", 0)
			k, err := r.backend.VerifyAPIKey(r.ctx, secret)
			check(err)
			got := answer{"subject": k.Subject, "scopes": fmt.Sprint(k.Scopes), "claims": string(k.Claims)}
			if k.Subject == r.user() {
				got["subject"] = "the user's"
			}
			return got
		},
	},
	{
		id: "E2", name: "clerk_api_key_to_turso", needs: []string{"turso", "clerk"},
		asked:    "Does an API key lead to a session of its owner's, a template token and the database?",
		expected: ok,
		answer: func(r *run) answer {
			r.token(plain) // from here on the template is the database's
			secret, _ := r.apiKey("", 0)
			k, err := r.backend.VerifyAPIKey(r.ctx, secret)
			check(err)
			own, err := r.frontend.Mint(r.ctx, r.signIn(k.Subject), r.name)
			check(err)
			return r.select1(own.Reveal())
		},
	},
}

func there(value string) string {
	if value == "" {
		return "missing"
	}
	return "there"
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// apiKey creates an API key of the user, one per suffix. seconds is its lifetime; 0 means no
// expiry.
func (r *run) apiKey(suffix string, seconds int) (secret provider.Secret, id string) {
	type key struct{ Secret, ID string }
	k := once(r, "API key"+suffix, func() (made key) {
		body := map[string]any{
			"name": r.journaled("API key", r.name+suffix), "subject": r.user(), "scopes": []string{"db:read"}, "claims": map[string]string{"purpose": "zen-live"},
		}
		if seconds > 0 {
			body["seconds_until_expiration"] = seconds
		}
		r.clerkCall(r.ctx, http.MethodPost, "/api_keys", body).into(&made)
		r.recorder.secret(made.Secret)
		return made
	})
	return provider.NewSecret(k.Secret), k.ID
}
