package page

import (
	"cmp"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/zen-auth/zen/devstack/traffic"
)

var functions = template.FuncMap{
	"clock":  func(t time.Time) string { return t.Local().Format("15:04:05") },
	"stamp":  func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) },
	"took":   took,
	"ends":   ends,
	"bytes":  size,
	"thin":   thin,
	"who":    who,
	"titled": titled,
	"about":  about,
}

// took returns a duration with two or three digits.
func took(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// ends says when something ends or ended, relative to now.
func ends(at, now time.Time) string {
	switch left := at.Sub(now).Round(time.Second); {
	case at.IsZero():
		return "never expires"
	case left <= 0:
		return "expired " + span(-left) + " ago"
	default:
		return "expires in " + span(left)
	}
}

func span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func size(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}

// thin returns a number with thin spaces between the thousands.
func thin(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "\u202f" + digits[i:]
	}
	return digits
}

// who names the sender of a request, by the stack's user if possible.
func who(c traffic.Caller, users []User) string {
	if c.Subject == "" {
		return cmp.Or(c.Kind, "—")
	}
	return named(c.Subject, users)
}

// named returns the address of the user with an id, or else the id.
func named(id string, users []User) string {
	for _, u := range users {
		if id != "" && u.ID == id {
			return u.Email
		}
	}
	return id
}

// about says who a token is for and what it opens, or else the path whose response had
// it.
func about(t traffic.Token, c Content) string {
	claims := map[string]string{}
	for _, f := range t.Claims {
		claims[f.Name] = f.Value
	}
	var parts []string
	if whom := named(claims["sub"], c.Users); whom != "" {
		parts = append(parts, whom)
	}
	for _, d := range c.Databases {
		if d.ID == claims["id"] {
			parts = append(parts, "database "+d.Name+strings.TrimSuffix(", "+claims["a"], ", "))
		}
	}
	if len(parts) == 0 {
		return t.Path
	}
	return strings.Join(parts, " · ")
}

// titled returns the long form of who.
func titled(c traffic.Caller, now time.Time) string {
	if c.Kind != "JWT" {
		return c.Kind
	}
	var parts []string
	for _, p := range []struct{ name, value string }{{"kid", c.KeyID}, {"iss", c.Issuer}, {"sub", c.Subject}} {
		if p.value != "" {
			parts = append(parts, p.name+" "+p.value)
		}
	}
	return strings.Join(append(parts, ends(c.Expires, now)), "\n")
}
