package transport

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/text"
)

// Refused is a server's refusal of a token. It is one of the contract's errors by
// errors.Is: ErrTokenExpired, ErrPermission or ErrRejected.
type Refused struct {
	// Status is the HTTP status.
	Status int
	// ServerText is the server's answer, bounded and printable.
	ServerText string
	// Claims are the claims of the refused token, unverified.
	Claims provider.Claims
	// Target is the database.
	Target provider.Target
	// Renewal is why no other token could be had; nil if one was tried too.
	Renewal error

	kind error
	why  string
	// skew says that the clocks differ; "" if they don't.
	skew string
}

// maxSkew is the difference of two clocks from which it is mentioned. Date has whole seconds
// (RFC 9110 section 6.6.1) and is as old as the answer took.
const maxSkew = 30 * time.Second

// tellSkew compares this machine's clock with the server's.
func (r *Refused) tellSkew(date, host string, now time.Time) {
	servers, err := http.ParseTime(date)
	if err != nil {
		return
	}
	ahead := now.Sub(servers).Round(time.Second)
	if ahead.Abs() > 2*time.Minute {
		ahead = ahead.Round(time.Minute)
	}
	switch text := ahead.Abs().String(); {
	case ahead > maxSkew:
		r.skew = fmt.Sprintf("; this machine's clock is %s ahead of %s's", text, host)
	case ahead < -maxSkew:
		r.skew = fmt.Sprintf("; this machine's clock is %s behind %s's", text, host)
	}
}

// refusals are the texts of Turso Cloud and of libsql-server, and what they mean.
// "existin" is how one version of the former spells it.
var refusals = []struct {
	text string
	kind error
	why  func(*Refused) string
}{
	{"can't be decoded with any of the existin", provider.ErrRejected, unknownKey},
	{"role was invalidated after token was issued", provider.ErrRejected, func(*Refused) string {
		return "Turso has invalidated this token: the tokens of its database or group were rotated after it was issued (a JWT template needs the new rid, too)"
	}},
	{"does not have the permissions to access the database", provider.ErrPermission, func(r *Refused) string {
		return fmt.Sprintf("the token of %s gives no access to %s", issuer(r.Claims), r.Target.URL)
	}},
	{"ExpiredSignature", provider.ErrTokenExpired, expired},
	{"The JWT has expired", provider.ErrTokenExpired, expired},
}

func newRefused(status int, body []byte, claims provider.Claims, target provider.Target) *Refused {
	r := &Refused{Status: status, ServerText: cmp.Or(text.Reason(body, 300), "no reason given"), Claims: claims, Target: target, kind: provider.ErrRejected}
	for _, known := range refusals {
		if strings.Contains(r.ServerText, known.text) {
			r.kind, r.why = known.kind, known.why(r)
			return r
		}
	}
	r.why = fmt.Sprintf("%s refused the token of %s: HTTP status %d, %s", target.URL, issuer(claims), status, r.ServerText)
	return r
}

// unknownKey returns the refusal that started zen: a valid JWT whose key set the
// organization has registered, or can't register.
func unknownKey(r *Refused) string {
	if r.Claims.Issuer == "" {
		return fmt.Sprintf("Turso does not know the key that signed this token for %s: the database was created anew, or the token is of another organization; sign in again", r.Target.URL)
	}
	return fmt.Sprintf("Turso does not accept the key that signed this token (kid %s, issuer %s); `zen login --provider platformtoken` uses tokens minted by Turso", r.Claims.KeyID, r.Claims.Issuer)
}

func expired(r *Refused) string {
	return fmt.Sprintf("%s says that the token of %s has expired; it ends %s: compare this machine's clock", r.Target.URL, issuer(r.Claims), r.Claims.Expires.UTC().Format("2006-01-02 15:04:05 UTC"))
}

func issuer(c provider.Claims) string {
	return cmp.Or(c.Issuer, "Turso")
}

// Error says in one line who refused what and what to do.
func (r *Refused) Error() string {
	if r.Renewal != nil && !errors.Is(r.Renewal, provider.ErrRejected) {
		return fmt.Sprintf("%s%s (and no other token could be had: %v)", r.why, r.skew, r.Renewal)
	}
	return r.why + r.skew
}

// Unwrap makes errors.Is see the class of the refusal, and why there was no other
// token.
func (r *Refused) Unwrap() []error {
	if r.Renewal != nil {
		return []error{r.kind, r.Renewal}
	}
	return []error{r.kind}
}

// Interface guards
var _ error = (*Refused)(nil)
