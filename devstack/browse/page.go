package browse

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// page holds the relevant parts of an HTML page: its title, its alert and its forms.
type page struct {
	title string
	alert string
	forms []*form
}

type form struct {
	action  string
	method  string
	inputs  []input // fields that have a name, in order
	buttons []*button
}

type input struct {
	name, value, kind string
}

// button is one way to submit a form.
type button struct {
	form        *form
	name, value string
	label       string
}

// parsePage reads a page. Anything is HTML to a browser, so only a document that
// nests too deeply fails.
func parsePage(raw []byte) (*page, error) {
	root, err := html.Parse(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("parse page: %w", err)
	}
	p := &page{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch {
		case n.DataAtom == atom.Title && p.title == "":
			p.title = text(n)
		case n.DataAtom == atom.Form:
			p.forms = append(p.forms, parseForm(n))
		case attribute(n, "role") == "alert" && p.alert == "":
			p.alert = text(n)
		}
	}
	return p, nil
}

func parseForm(n *html.Node) *form {
	f := &form{action: attribute(n, "action"), method: http.MethodGet}
	if strings.EqualFold(attribute(n, "method"), http.MethodPost) {
		f.method = http.MethodPost
	}
	for field := range n.Descendants() {
		if field.Type != html.ElementNode || has(field, "disabled") {
			continue
		}
		kind := strings.ToLower(attribute(field, "type"))
		name, value := attribute(field, "name"), attribute(field, "value")
		switch {
		case field.DataAtom == atom.Button && (kind == "" || kind == "submit"):
			f.buttons = append(f.buttons, &button{form: f, name: name, value: value, label: text(field)})
		case field.DataAtom == atom.Input && (kind == "submit" || kind == "image"):
			f.buttons = append(f.buttons, &button{form: f, name: name, value: value})
		case field.DataAtom == atom.Input && (kind == "checkbox" || kind == "radio") && !has(field, "checked"):
		case field.DataAtom == atom.Input && name != "" && kind != "button" && kind != "reset" && kind != "file":
			f.inputs = append(f.inputs, input{name: name, value: value, kind: kind})
		}
	}
	return f
}

// values returns what submitting the form with this button sends.
func (b *button) values(typed url.Values) url.Values {
	values := url.Values{}
	for _, in := range b.form.inputs {
		if typed.Has(in.name) {
			values.Add(in.name, typed.Get(in.name))
			continue
		}
		values.Add(in.name, in.value)
	}
	if b.name != "" {
		values.Add(b.name, b.value)
	}
	return values
}

// decision returns the button that authorises, or cancels, on a page that asks.
func (p *page) decision(cancel bool) *button {
	wanted := "authorise"
	if cancel {
		wanted = "cancel"
	}
	for _, f := range p.forms {
		for _, b := range f.buttons {
			if b.name == "decision" && b.value == wanted {
				return b
			}
		}
	}
	return nil
}

// userCodeField is the name of a page's field for the code that a device shows (RFC 8628).
const userCodeField = "user_code"

// codeField returns the button of the form with a field for a device's code.
func (p *page) codeField() *button {
	for _, f := range p.forms {
		for _, in := range f.inputs {
			if in.name == userCodeField && in.kind != "hidden" && len(f.buttons) > 0 {
				return f.buttons[0]
			}
		}
	}
	return nil
}

// organization returns the button of the wanted organization.
func (p *page) organization(wanted string) *button {
	for _, f := range p.forms {
		for _, b := range f.buttons {
			if b.name == "organization" && (b.value == wanted || strings.Contains(strings.ToLower(b.label), strings.ToLower(wanted))) {
				return b
			}
		}
	}
	return nil
}

// asksSignIn reports whether a form has a field for a password.
func (p *page) asksSignIn() bool {
	return slices.ContainsFunc(p.forms, func(f *form) bool { return f.field("password") != "" })
}

// field returns the name of the first field of a kind.
func (f *form) field(kind string) string {
	for _, in := range f.inputs {
		if in.kind == kind {
			return in.name
		}
	}
	return ""
}

// signIn finds how a person signs in: with a password if they have one, or else
// by the button of their account.
func (p *page) signIn(who Person) (*button, url.Values) {
	for _, f := range p.forms {
		email, password := f.field("email"), f.field("password")
		if who.Password != "" && email != "" && password != "" && len(f.buttons) > 0 {
			return f.buttons[0], url.Values{email: {who.User}, password: {who.Password}}
		}
		for _, b := range f.buttons {
			local, _, isAddress := strings.Cut(b.value, "@")
			if who.Password == "" && isAddress && (strings.EqualFold(b.value, who.User) || strings.EqualFold(local, who.User)) {
				return b, nil
			}
		}
	}
	return nil, nil
}

// problem returns the page's error message.
func (p *page) problem() string {
	if p.alert != "" {
		return p.alert
	}
	if p.title != "" {
		return p.title
	}
	return "no reason given"
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// text returns the visible text inside n, on one line.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
