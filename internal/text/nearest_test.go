package text

import "testing"

func TestNearest(t *testing.T) {
	commands := []string{"login", "logout", "status", "token", "exec", "db", "provider", "dev"}
	for word, want := range map[string]string{
		"tokn": "token", "loggin": "login", "stauts": "status", "bd": "db", "provder": "provider", "": "",
		"foo": "", "query": "", "x": "", "add": "", "new": "", "ausloggen": "", "token": "token",
	} {
		if got := Nearest(word, commands); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func FuzzDistance(f *testing.F) {
	f.Add("kitten", "sitting", "")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		d := distance(a, b)
		if (d == 0) != (a == b) || d != distance(b, a) || d > max(len(a), len(b)) {
			t.Errorf("distance(%q, %q) = %d, and %d the other way round", a, b, d, distance(b, a))
		}
	})
}
