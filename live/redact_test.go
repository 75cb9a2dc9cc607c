package live

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// redactor takes out of a text what must not be in a transcript: secrets, and who the
// accounts belong to. What it is told of later counts for what was said before, so that
// a transcript is redacted when it is written.
type redactor struct {
	mu      sync.Mutex // guards all below
	secrets map[string]bool
	names   []named           // the longest first: one may be a part of another
	numbers map[string]int    // of the ids that were met
	replace *strings.Replacer // of the secrets; nil after there was another one
}

// named is a name and what takes its place.
type named struct {
	name, placeholder string
	whole             *regexp.Regexp
}

func newRedactor() *redactor {
	return &redactor{secrets: map[string]bool{}, numbers: map[string]int{}}
}

// secret has a value taken out wherever it is found, in the forms that a request can give it.
// A JWT is told apart by its looks.
func (r *redactor) secret(value string) {
	if len(value) < 6 || jwtText.MatchString(value) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.replace = nil
	quoted, _ := json.Marshal(value)
	for _, form := range []string{
		value, url.QueryEscape(value), url.PathEscape(value), strings.Trim(string(quoted), `"`),
		base64.StdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value)),
	} {
		r.secrets[form] = true
	}
}

// name has a name, such as an organization's, replaced by what it stands for.
func (r *redactor) name(name, placeholder string) {
	if name == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.ContainsFunc(r.names, func(n named) bool { return n.name == name }) {
		return
	}
	r.names = append(r.names, named{name, placeholder, regexp.MustCompile(`(^|[^A-Za-z0-9])` + regexp.QuoteMeta(name) + `($|[^A-Za-z0-9])`)})
	slices.SortStableFunc(r.names, func(a, b named) int { return len(b.name) - len(a.name) })
}

var (
	jwtText  = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){2,4}`)
	jwtPart  = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{12,}`)
	keyText  = regexp.MustCompile(`\b(?:sk|ak|mt|oat|ort|msk|ask|rt)_[A-Za-z0-9+/=_-]{8,}`)
	mailText = regexp.MustCompile(`[A-Za-z0-9._%+-]+(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`)
	idText   = regexp.MustCompile(`\b(user|org|orgmem|sess|ins|client|jtmp|mch|oauthapp|oa|sia|sit|idn|ema)_[A-Za-z0-9]{16,}|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`)
)

// text redacts prose, or a JSON document that was marshalled.
func (r *redactor) text(s string) string {
	s = jwtText.ReplaceAllStringFunc(s, r.jwt)
	r.mu.Lock()
	defer r.mu.Unlock()
	s = r.replacer().Replace(s)
	s = keyText.ReplaceAllString(s, "<secret>")
	s = jwtPart.ReplaceAllString(s, "<part of a token>")
	for _, n := range r.names {
		s = n.whole.ReplaceAllString(s, "${1}<"+n.placeholder+">${2}")
	}
	s = mailText.ReplaceAllStringFunc(s, func(address string) string {
		if strings.HasPrefix(address, prefix) {
			return address
		}
		return "<e-mail>"
	})
	return idText.ReplaceAllStringFunc(s, func(id string) string {
		kind, _, ok := strings.Cut(id, "_")
		if !ok {
			kind = "uuid"
		}
		if r.numbers[id] == 0 {
			r.numbers[id] = len(r.numbers) + 1
		}
		return fmt.Sprintf("<%s %d>", kind, r.numbers[id])
	})
}

// replacer takes out the secrets, the longest first: one may be a part of another.
func (r *redactor) replacer() *strings.Replacer {
	if r.replace == nil {
		var pairs []string
		for _, value := range slices.SortedFunc(maps.Keys(r.secrets), func(a, b string) int { return len(b) - len(a) }) {
			pairs = append(pairs, value, "<secret>")
		}
		r.replace = strings.NewReplacer(pairs...)
	}
	return r.replace
}

// open are the claims whose values are shown: Turso's, and registered ones that don't say
// who it is. Of all others there is the name.
var open = strings.Fields("a id gid perm p rid iss sub aud exp iat nbf v sts org_id org_role typ alg kid cat gty scope")

// jwt returns what a token says, without the signature that makes it one.
func (r *redactor) jwt(token string) string {
	var parts []string
	for i, part := range strings.Split(token, ".") {
		encoded, err := base64.RawURLEncoding.DecodeString(part)
		var members map[string]any
		if i > 1 || err != nil || json.Unmarshal(encoded, &members) != nil {
			continue
		}
		for name, value := range members {
			// A secret may be anywhere, and this is not the place to let it out. Clerk's
			// ids are replaced, and other issuers' names of a person may be anything.
			text, ok := value.(string)
			if !slices.Contains(open, name) || ok && strings.Contains(text, "eyJ") || name == "sub" && !idText.MatchString(text) {
				members[name] = "…"
			}
		}
		shown, err := marshal(members)
		if err == nil {
			parts = append(parts, string(bytes.TrimSpace(shown)))
		}
	}
	return "<JWT " + strings.Join(parts, " ") + ">"
}

// secretNames are the members of JSON and the parameters whose values are secrets, and
// personal those that say who it is, or whose key.
var (
	secretNames = strings.Fields(`token jwt secret password client_secret access_token refresh_token id_token ticket device_code user_code
		client_assertion authorization rotating_token_nonce code_verifier __clerk_ticket authToken`)
	personal = strings.Fields("verification_uri_complete url n x5c x5t first_name last_name username")
)

func isHidden(name string) bool {
	return slices.Contains(secretNames, name) || slices.Contains(personal, name)
}

// learn finds the secrets of a body, so that they are taken out wherever else they are.
func (r *redactor) learn(contentType string, body []byte) {
	if form, ok := formOf(contentType, body); ok {
		for name, values := range form {
			for _, value := range values {
				if slices.Contains(secretNames, name) || name == "code" {
					r.secret(value)
				}
			}
		}
		return
	}
	for _, document := range documents(body) {
		r.walk(document)
	}
}

// walk replaces what is hidden in a JSON value, and learns what is secret in it.
func (r *redactor) walk(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			text, ok := inner.(string)
			switch {
			case ok && text != "" && isHidden(name) && (!jwtText.MatchString(text) || slices.Contains(personal, name)):
				if slices.Contains(secretNames, name) {
					r.secret(text)
				}
				v[name] = "<" + name + ">"
			case !ok && slices.Contains(personal, name):
				v[name] = "…"
			default:
				v[name] = r.walk(inner)
			}
		}
	case []any:
		for i := range v {
			v[i] = r.walk(v[i])
		}
	}
	return value
}

func formOf(contentType string, body []byte) (url.Values, bool) {
	if !strings.HasPrefix(contentType, "application/x-www-form-urlencoded") {
		return nil, false
	}
	form, err := url.ParseQuery(string(body))
	return form, err == nil
}

// documents returns the JSON documents that a body is made of; nil if it is something else.
func documents(body []byte) []any {
	var all []any
	for decoder := json.NewDecoder(bytes.NewReader(body)); ; {
		decoder.UseNumber()
		var document any
		if err := decoder.Decode(&document); err == io.EOF {
			return all
		} else if err != nil {
			return nil
		}
		all = append(all, document)
	}
}

// marshal is json.Marshal for people.
func marshal(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return b.Bytes(), err
}

// others replaces what of a list has a name that a run didn't give it: what else is in an
// account is no part of any question.
func others(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name := range v {
			v[name] = others(v[name])
		}
	case []any:
		for i := range v {
			v[i] = others(v[i])
			m, ok := v[i].(map[string]any)
			for _, name := range []string{"name", "Name", "jwks_name"} {
				if given, named := m[name].(string); ok && named && !strings.HasPrefix(given, prefix) {
					v[i] = "<another>"
				}
			}
		}
	}
	return value
}

// maxShown bounds a body in the transcript.
const maxShown = 4 << 10

// body returns a body as the transcript has it. That of an account is one of a service that
// keeps other things, too.
func (r *redactor) body(contentType string, body []byte, ofAccount bool) string {
	if len(body) == 0 {
		return ""
	}
	var text string
	if form, ok := formOf(contentType, body); ok {
		text = r.query(form)
	} else if all := documents(body); all != nil {
		var b strings.Builder
		for _, document := range all {
			if ofAccount {
				document = others(document)
			}
			shown, err := marshal(r.walk(document))
			if err != nil {
				return err.Error()
			}
			b.Write(shown)
		}
		text = strings.TrimSpace(b.String())
	} else if strings.HasPrefix(contentType, "text/html") || !utf8.Valid(body) || bytes.ContainsRune(body, 0) {
		return fmt.Sprintf("(%d bytes)", len(body)) // a page may say anything
	} else {
		text = strings.TrimSpace(string(body))
	}
	if text = r.text(text); len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + fmt.Sprintf("… (%d bytes)", len(text))
	}
	return text
}

// query returns a query, or a form, as the transcript has it.
func (r *redactor) query(q url.Values) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(q)) {
		for _, value := range q[name] {
			if isHidden(name) || name == "code" || name == "state" {
				value = "<" + name + ">"
			}
			pairs = append(pairs, name+"="+value)
		}
	}
	return r.text(strings.Join(pairs, "&"))
}
