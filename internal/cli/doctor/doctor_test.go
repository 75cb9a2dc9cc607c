package doctor

import "testing"

func TestFolded(t *testing.T) {
	const text = "a registration that has the key, and Turso refuses it all the same"
	for _, test := range []struct {
		width, at, indent int
		want              string
	}{
		{0, 17, 17, text},
		{40, 17, 17, text},
		{50, 17, 17, "a registration that has the key,\n                 and Turso refuses it all the same"},
		{50, 40, 17, "a\n                 registration that has the key,\n                 and Turso refuses it all the same"},
	} {
		if got := folded(text, test.width, test.at, test.indent); got != test.want {
			t.Errorf("folded at width %d from column %d = %q", test.width, test.at, got)
		}
	}
}
