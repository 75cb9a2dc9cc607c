package host

import (
	"cmp"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

const redacted = "[redacted]"

const (
	// minSecret is the least length of a secret that can be replaced wherever it
	// occurs without making text unreadable.
	minSecret = 6
	// minCut is the length of a part of a long one that is enough to recognize it.
	minCut = 32
	// maxForms bounds how much is remembered of one secret, maxSecrets how much at
	// all; the oldest goes first.
	maxForms   = 64
	maxSecrets = 512
)

// redactor takes secrets out of text: those that it was told, and what looks like
// one. It is safe for concurrent use.
type redactor struct {
	// mu guards what is below.
	mu sync.Mutex
	// secrets are in the order in which they came.
	secrets []string
	// known are the secrets that were added whole, so that each call with the same
	// credential doesn't take it apart again.
	known map[string]bool
}

// add makes secret, the parts of a secret that is JSON or has lines, and the forms
// that they take in JSON and URLs unprintable.
func (r *redactor) add(secret string) {
	r.mu.Lock()
	known := r.known[secret]
	r.mu.Unlock()
	if known {
		return
	}
	forms := []string{secret}
	var value any
	if json.Unmarshal([]byte(secret), &value) == nil {
		forms = appendStrings(forms, value)
	}
	for _, form := range slices.Clone(forms) {
		forms = append(forms, strings.SplitN(form, "\n", maxForms)...)
	}
	forms = forms[:min(len(forms), maxForms)]
	for _, form := range slices.Clone(forms) {
		quoted, _ := json.Marshal(form)
		forms = append(forms, strings.Trim(string(quoted), `"`), url.QueryEscape(form), url.PathEscape(form))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, form := range forms {
		form = strings.Clone(form[:min(len(form), maxLine)]) // no line shows more
		if len(form) >= minSecret && !isPlace(form) && !slices.Contains(r.secrets, form) {
			r.secrets = append(r.secrets, form)
		}
	}
	if len(r.secrets) > maxSecrets || len(r.known) >= maxSecrets || r.known == nil {
		r.known = make(map[string]bool) // one of them may be forgotten
	}
	r.secrets = slices.Clone(r.secrets[max(0, len(r.secrets)-maxSecrets):])
	r.known[secret] = true
}

// appendStrings appends the strings in a JSON value, but for short ones, which are
// words.
func appendStrings(list []string, value any) []string {
	if len(list) >= maxForms {
		return list
	}
	switch v := value.(type) {
	case string:
		if len(v) >= 2*minSecret {
			list = append(list, v)
		}
	case []any:
		for _, element := range v {
			list = appendStrings(list, element)
		}
	case map[string]any:
		for _, element := range v {
			list = appendStrings(list, element)
		}
	}
	return list
}

// addMarked adds every field of m that is marked debug_redact.
func (r *redactor) addMarked(m any) {
	if message, ok := m.(proto.Message); ok {
		r.walk(message.ProtoReflect())
	}
}

func (r *redactor) walk(m protoreflect.Message) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap(): // settings: the schema says which are sensitive
		case field.IsList() && field.Kind() == protoreflect.MessageKind:
			for i := range value.List().Len() {
				r.walk(value.List().Get(i).Message())
			}
		case field.Kind() == protoreflect.MessageKind:
			r.walk(value.Message())
		case !field.Options().(*descriptorpb.FieldOptions).GetDebugRedact():
		case field.Kind() == protoreflect.BytesKind:
			r.add(string(value.Bytes()))
		case field.Kind() == protoreflect.StringKind:
			r.add(value.String())
		}
		return true
	})
}

// place is an address of this machine, or its beginning: what a person has pasted who
// was asked for the whole callback. Nothing in it is secret, and what they are told next
// has the address in it.
var place = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:https?:/{0,2}[0-9.]{0,15}|(?:https?://)?(?:127\.0\.0\.1|localhost)(?::[0-9]{0,5})?(?:/(?:callback|oidc)?)*\??)$`)
})

func isPlace(s string) bool { return place().MatchString(s) }

// address is the part of a URL that is no secret: what is before its query.
var address = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?i:https?://)?[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[^?#\s]*)?[?#]`)
})

type pattern struct {
	match   *regexp.Regexp
	replace string
}

// patterns match what looks like a secret, wherever it comes from. They are compiled
// when the first provider is started: a warm zen token starts none.
var patterns = sync.OnceValue(func() []pattern {
	return []pattern{
		// A JOSE header ({" in base64url) and what follows, cut short or not.
		{regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)*`), redacted},
		{regexp.MustCompile(`(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)(\\?["']?\s*[:=]\s*\\?["']?)[^\r\n"'\\]+`), "$1$2" + redacted},
		{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}`), "$1 " + redacted},
		// Keys of Clerk.
		{regexp.MustCompile(`\b[sa]k_(?:live|test)?_?[A-Za-z0-9]{8,}`), redacted},
		{regexp.MustCompile(`(?i)([a-z_-]*(?:token|secret|password|api_?key)\\?["']?(?:=|\\?["']\s*:)\s*\\?["']?)[^\s"'&,;\\})]+`), "$1" + redacted},
	}
})

var urls = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\b[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>\\]+`)
})

// String returns s without secrets.
func (r *redactor) String(s string) string {
	if s == "" {
		return s
	}
	r.mu.Lock()
	secrets := slices.Clone(r.secrets)
	r.mu.Unlock()
	// Longer ones first: one may be a part of another.
	slices.SortStableFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, secret := range secrets {
		s = blank(s, secret)
	}
	s = urls().ReplaceAllStringFunc(s, redactURL)
	for _, p := range patterns() {
		s = p.match.ReplaceAllString(s, p.replace)
	}
	return s
}

// blank replaces secret in s. Of a long one the beginning is enough, since it may
// have been cut short.
func blank(s, secret string) string {
	// Of a URL the beginning is what all of one host have.
	head := secret[:min(len(secret), minCut+len(address().FindString(secret)))]
	at := strings.Index(s, head)
	if at < 0 {
		return s
	}
	var out strings.Builder
	for at >= 0 {
		out.WriteString(s[:at])
		out.WriteString(redacted)
		s = s[at:]
		n := len(head)
		for n < len(s) && n < len(secret) && s[n] == secret[n] {
			n++
		}
		s = s[n:]
		at = strings.Index(s, head)
	}
	out.WriteString(s)
	return out.String()
}

// redactURL takes the userinfo and the values of query and fragment. It works on
// text, because what is logged is often not quite a URL.
func redactURL(s string) string {
	scheme, rest, _ := strings.Cut(s, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, rest := rest[:end], rest[end:]
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		host = redacted + host[at:]
	}
	var out strings.Builder
	out.WriteString(scheme + "://" + host)
	inQuery := false
	for rest != "" {
		next := strings.IndexAny(rest[1:], "?#&") + 1
		next = cmp.Or(next, len(rest))
		part := rest[:next]
		rest = rest[next:]
		inQuery = inQuery || part[0] == '?' || part[0] == '#'
		if name, _, ok := strings.Cut(part, "="); ok && inQuery && !isPage(part[1:]) {
			part = name + "=" + redacted
		}
		out.WriteString(part)
	}
	return out.String()
}

// isPage reports whether a parameter is one that zen's own links have: which page of a
// dashboard is meant, in words.
func isPage(parameter string) bool {
	page, ok := strings.CutPrefix(parameter, "path=")
	return ok && page != "" && len(page) <= 40 && strings.Trim(page, "abcdefghijklmnopqrstuvwxyz-/") == ""
}
