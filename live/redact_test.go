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

// redactor removes what must not be in a transcript: secrets, and the identity of the
// accounts. A secret that is added later is also removed from earlier exchanges, because a
// transcript is redacted when it is written.
type redactor struct {
	mu      sync.Mutex // guards the fields below
	secrets map[string]bool
	names   []named           // longest first: one may be part of another
	numbers map[string]int    // by id, in the order of appearance
	replace *strings.Replacer // for the secrets; nil after one was added
}

// named is a name and its placeholder.
type named struct {
	name, placeholder string
	whole             *regexp.Regexp
}

func newRedactor() *redactor {
	return &redactor{secrets: map[string]bool{}, numbers: map[string]int{}}
}

// secret removes a value everywhere, in the encodings that a request may contain. A JWT is
// recognised by its form instead.
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

// name replaces a name, such as an organization's, by a placeholder.
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

// text redacts prose or a marshalled JSON document.
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

// replacer returns a replacer for the secrets, longest first: one may be part of another.
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

// open are the claims whose values are shown: Turso's, and registered ones that don't
// identify the user. Of all others only the name is shown.
var open = strings.Fields("a id gid perm p rid iss sub aud exp iat nbf v sts org_id org_role typ alg kid cat gty scope")

// jwt returns the contents of a token without the signature.
func (r *redactor) jwt(token string) string {
	var parts []string
	for i, part := range strings.Split(token, ".") {
		encoded, err := base64.RawURLEncoding.DecodeString(part)
		var members map[string]any
		if i > 1 || err != nil || json.Unmarshal(encoded, &members) != nil {
			continue
		}
		for name, value := range members {
			// Any claim may contain a secret. Clerk's ids are replaced by numbers, but the
			// subject of another issuer may be a person's name.
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

// secretNames are the JSON members and parameters with secret values, and personal those that
// identify a user or a key.
var (
	secretNames = strings.Fields(`token jwt secret password client_secret access_token refresh_token id_token ticket device_code user_code
		client_assertion authorization rotating_token_nonce code_verifier __clerk_ticket authToken`)
	personal = strings.Fields("verification_uri_complete url n x5c x5t first_name last_name username")
)

func isHidden(name string) bool {
	return slices.Contains(secretNames, name) || slices.Contains(personal, name)
}

// learn finds the secrets in a body, so that they are removed everywhere.
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

// walk replaces the hidden values in a JSON value, and learns its secrets.
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

// documents returns the JSON documents in a body, or nil if it contains anything else.
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

// marshal is json.Marshal without the escaping of HTML.
func marshal(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return b.Bytes(), err
}

// others replaces the items of a list that the run didn't create, by their names: other
// objects of an account don't belong in a transcript.
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

// maxShown limits the length of a body in the transcript.
const maxShown = 4 << 10

// body returns a body as shown in the transcript. ofAccount is set for a service that also
// holds other objects of the account.
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
		return fmt.Sprintf("(%d bytes)", len(body)) // a page may contain anything
	} else {
		text = strings.TrimSpace(string(body))
	}
	if text = r.text(text); len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + fmt.Sprintf("… (%d bytes)", len(text))
	}
	return text
}

// query returns a query or a form as shown in the transcript.
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
