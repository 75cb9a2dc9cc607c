package clerk

import (
	"encoding/json"
	"regexp"
	"strings"
	"sync"
)

// render fills the shortcodes of a template's claims. Values come from scope,
// which is made of maps with string keys; what it lacks is null.
func (t *template) render(scope map[string]any) map[string]any {
	return renderValue(t.claims, scope).(map[string]any)
}

func renderValue(value any, scope map[string]any) any {
	switch v := value.(type) {
	case string:
		return renderString(v, scope)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = renderValue(v[i], scope)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name := range v {
			out[name] = renderValue(v[name], scope)
		}
		return out
	default:
		return v
	}
}

var shortcode = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{\{[^{}]*\}\}`) })

// renderString fills one string. A string that is one shortcode becomes the
// value with its JSON type; shortcodes inside a longer string become text.
func renderString(s string, scope map[string]any) any {
	if loc := shortcode().FindStringIndex(s); loc != nil && loc[0] == 0 && loc[1] == len(s) {
		return evaluate(s[2:len(s)-2], scope)
	}
	return shortcode().ReplaceAllStringFunc(s, func(code string) string {
		return text(evaluate(code[2:len(code)-2], scope))
	})
}

// evaluate computes "a || b || c": the first operand that is neither null nor
// false, or else the last.
func evaluate(expr string, scope map[string]any) any {
	var value any
	for _, operand := range splitOr(expr) {
		value = evaluateOperand(strings.TrimSpace(operand), scope)
		if value != nil && value != false {
			break
		}
	}
	return value
}

// splitOr cuts at each || that is not inside a quoted string.
func splitOr(expr string) []string {
	var parts []string
	quoted, start := false, 0
	for i := 0; i < len(expr); i++ {
		switch {
		case expr[i] == '\'':
			quoted = !quoted
		case !quoted && strings.HasPrefix(expr[i:], "||"):
			parts = append(parts, expr[start:i])
			start = i + 2
			i++
		}
	}
	return append(parts, expr[start:])
}

var numberLiteral = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`) })

func evaluateOperand(operand string, scope map[string]any) any {
	switch {
	case operand == "true", operand == "false":
		return operand == "true"
	case numberLiteral().MatchString(operand):
		return json.Number(operand)
	case len(operand) >= 2 && operand[0] == '\'' && operand[len(operand)-1] == '\'':
		return operand[1 : len(operand)-1]
	}
	var value any = scope
	for _, name := range strings.Split(operand, ".") {
		fields, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = fields[name]
	}
	return value
}

// text returns a value inside a longer string; null reads "null", as at Clerk.
func text(value any) string {
	if s, ok := value.(string); ok {
		return s
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return "null"
	}
	return string(encoded)
}
